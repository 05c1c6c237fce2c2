"""The floors: what the libraries below us take for the bare work, and what scapy takes for the whole of it."""

import hmac as hmac_module
from collections.abc import Callable

import gmpy2
import simpy
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ipsecsim.crypto.modp_groups import EXPONENT_BITS, PRIMES
from ipsecsim.ipsec.association import SaParameters
from tests.bench.measure import Work
from tests.interop.scapy_peer import ScapyPeer

PENDING = 1000


def simpy_event(count: int) -> None:
    """One Timeout with a callback, at 1,000 pending events; each rings a thousand ticks later and sets the next."""
    env = simpy.Environment(initial_time=0)
    left = count

    def ring(_: object) -> None:
        nonlocal left
        left -= 1
        if left > 0:
            env.timeout(PENDING).callbacks.append(ring)

    for at in range(PENDING):
        env.timeout(at).callbacks.append(ring)
    step = env.step
    for _ in range(count):
        step()


def aesgcm_encrypt(length: int) -> Work:
    """One AESGCM encryption with a reused object."""
    cipher, nonce, data, aad = AESGCM(bytes(32)), bytes(12), bytes(length), bytes(8)

    def work(count: int) -> None:
        for _ in range(count):
            cipher.encrypt(nonce, data, aad)

    return work


def aesgcm_decrypt(length: int) -> Work:
    """One AESGCM decryption with a reused object."""
    cipher, nonce, aad = AESGCM(bytes(32)), bytes(12), bytes(8)
    sealed = cipher.encrypt(nonce, bytes(length), aad)

    def work(count: int) -> None:
        for _ in range(count):
            cipher.decrypt(nonce, sealed, aad)

    return work


def cbc_sha256(length: int, *, decrypt: bool) -> Work:
    """AES-CBC in a long-lived context, and HMAC-SHA256 from a keyed object's copy."""
    cipher = Cipher(algorithms.AES(bytes(32)), modes.CBC(bytes(16)))
    context = cipher.decryptor() if decrypt else cipher.encryptor()
    keyed, data = hmac.HMAC(bytes(32), hashes.SHA256()), bytes(-(-length // 16) * 16)

    def work(count: int) -> None:
        for _ in range(count):
            context.update(data)
            mac = keyed.copy()
            mac.update(data)
            mac.finalize()

    return work


def scapy_seal(parameters: SaParameters, packet: bytes) -> Work:
    """scapy, from the bytes of a plain packet to those of a protected one."""
    peer = ScapyPeer(parameters)

    def work(count: int) -> None:
        for _ in range(count):
            peer.seal(packet)

    return work


def scapy_open(parameters: SaParameters, protected: bytes) -> Work:
    """scapy, back again."""
    peer = ScapyPeer(parameters)

    def work(count: int) -> None:
        for _ in range(count):
            peer.open(protected)

    return work


def handshake_crypto(group: str) -> Work:
    """What a PSK handshake of both sides cannot do without: two key pairs, two shared secrets, prf and seals."""
    exchange = _EXCHANGES[group]

    def work(count: int) -> None:
        for _ in range(count):
            exchange()
            _prf_and_seals()

    return work


def _prf_and_seals() -> None:
    """Both sides: SKEYSEED, prf+, KEYMAT, two AUTH values of three prfs each; two messages sealed and opened."""
    for _ in range(2):
        for _ in range(1 + 6 + 3 + 6):
            hmac_module.digest(b"k" * 32, b"d" * 80, "sha256")
        cipher = AESGCM(bytes(32))
        other = AESGCM(bytes(32))
        sealed = cipher.encrypt(bytes(12), bytes(150), bytes(32))
        cipher.decrypt(bytes(12), sealed, bytes(32))
        other.encrypt(bytes(12), bytes(1), b"")


def _x25519() -> None:
    one, other = x25519.X25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    one.exchange(other.public_key())
    other.exchange(one.public_key())


def _p256() -> None:
    one, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    one.exchange(ec.ECDH(), other.public_key())
    other.exchange(ec.ECDH(), one.public_key())


def _modp2048() -> None:
    prime, bits = gmpy2.mpz(PRIMES[14]), EXPONENT_BITS[14]
    one, other = gmpy2.mpz(1 << (bits - 1) | 12345), gmpy2.mpz(1 << (bits - 1) | 54321)
    public = [gmpy2.powmod(2, each, prime) for each in (one, other)]
    gmpy2.powmod(public[1], one, prime)
    gmpy2.powmod(public[0], other, prime)


_EXCHANGES: dict[str, Callable[[], None]] = {"x25519": _x25519, "ecp256": _p256, "modp2048": _modp2048}
