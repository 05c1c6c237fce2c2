"""The rows of the key exchange methods. What RFC 8247 2.4 advises against is WEAK, what it forbids BROKEN."""

from cryptography.hazmat.primitives.asymmetric import ec

from ipsecsim.crypto.key_exchange import CURVE_448, CURVE_25519, Ecp, Modp
from ipsecsim.crypto.rows import Group, Status
from ipsecsim.crypto.weierstrass import BRAINPOOL_P224R1, Weierstrass

_NOW, _WEAK, _BROKEN = Status.CURRENT, Status.WEAK, Status.BROKEN

ROWS = (
    Group(31, "x25519", "x25519", 32, CURVE_25519, _NOW, 8031, aliases=("curve25519",)),
    Group(32, "x448", "x448", 56, CURVE_448, _NOW, 8031, aliases=("curve448",)),
    Group(19, "ecp-256", "ecp256", 64, Ecp(ec.SECP256R1()), _NOW, 5903),
    Group(20, "ecp-384", "ecp384", 96, Ecp(ec.SECP384R1()), _NOW, 5903),
    Group(21, "ecp-521", "ecp521", 132, Ecp(ec.SECP521R1()), _NOW, 5903),
    Group(25, "ecp-192", "ecp192", 48, Ecp(ec.SECP192R1()), _WEAK, 5114),
    Group(26, "ecp-224", "ecp224", 56, Ecp(ec.SECP224R1()), _NOW, 5114),
    Group(27, "brainpool-224", "ecp224bp", 56, Weierstrass(BRAINPOOL_P224R1), _NOW, 6954),
    Group(28, "brainpool-256", "ecp256bp", 64, Ecp(ec.BrainpoolP256R1()), _NOW, 6954),
    Group(29, "brainpool-384", "ecp384bp", 96, Ecp(ec.BrainpoolP384R1()), _NOW, 6954),
    Group(30, "brainpool-512", "ecp512bp", 128, Ecp(ec.BrainpoolP512R1()), _NOW, 6954),
    Group(14, "modp-2048", "modp2048", 256, Modp(14), _NOW, 3526),
    Group(15, "modp-3072", "modp3072", 384, Modp(15), _NOW, 3526),
    Group(16, "modp-4096", "modp4096", 512, Modp(16), _NOW, 3526),
    Group(17, "modp-6144", "modp6144", 768, Modp(17), _NOW, 3526),
    Group(18, "modp-8192", "modp8192", 1024, Modp(18), _NOW, 3526),
    Group(1, "modp-768", "modp768", 96, Modp(1), _BROKEN, 7296),
    Group(2, "modp-1024", "modp1024", 128, Modp(2), _WEAK, 7296),
    Group(5, "modp-1536", "modp1536", 192, Modp(5), _WEAK, 3526),
    Group(22, "modp-1024-160", "modp1024s160", 128, Modp(22), _BROKEN, 5114),
    Group(23, "modp-2048-224", "modp2048s224", 256, Modp(23), _WEAK, 5114),
    Group(24, "modp-2048-256", "modp2048s256", 256, Modp(24), _WEAK, 5114),
)
