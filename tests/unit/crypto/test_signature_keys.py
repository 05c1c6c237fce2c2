"""Keys: which are taken, which are weak, and which are none."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import BadKey
from ipsecsim.crypto.rows import Status
from ipsecsim.crypto.signature_keys import KeyKind, PrivateKey, PublicKey
from tests.support.certificates import key, rsa_info

MADE = [kind for kind in KeyKind if kind is not KeyKind.RSA]


@pytest.mark.parametrize("kind", MADE)
def test_a_key_made_from_the_same_chance_is_the_same(kind):
    one, two, three = (PrivateKey.make(kind, SeededEntropy(seed)) for seed in ("1", "1", "2"))
    assert one.public.info == two.public.info != three.public.info
    assert one.public.kind is kind
    assert PublicKey.parse(one.public.info).info == one.public.info


def test_rsa_keys_are_not_made_here():
    with pytest.raises(LocalError, match="load one"):
        PrivateKey.make(KeyKind.RSA, SeededEntropy("1"))


def test_a_key_is_written_and_read_as_pem():
    mine = key("1", KeyKind.RSA)
    assert PrivateKey.from_pem(mine.pem).public.info == mine.public.info
    with pytest.raises(LocalError):
        PrivateKey.from_pem(b"nothing")


def test_the_hash_is_that_of_the_whole_info():
    """RFC 7296 3.7."""
    public = key("1", KeyKind.RSA).public
    assert len(public.hash) == 20
    assert public.status is Status.CURRENT
    assert str(public) == "RSA 2048"


MODULUS = key("1", KeyKind.RSA).public.raw.public_numbers().n


@pytest.mark.parametrize(
    "info",
    [
        b"",
        b"\x30\x00",
        rsa_info(MODULUS, 0),
        rsa_info(MODULUS, 1),
        rsa_info(MODULUS, 65536),
        rsa_info(MODULUS - 1, 65537),  # an even modulus
        rsa_info(0, 65537),
        rsa_info(3 * 5, 3),
        rsa_info(MODULUS >> 1025 | 1, 65537),  # 1023 bits
        rsa_info(MODULUS << 8192 | 1, 65537),
        rsa_info(MODULUS, MODULUS - 2),
        ec.derive_private_key(5, ec.SECP192R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        x25519.X25519PrivateKey.from_private_bytes(bytes(32))
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ],
)
@pytest.mark.hos("HOS-57", "HOS-59", "HOS-64")
def test_keys_that_are_none_or_too_weak_are_refused(info):
    with pytest.raises(BadKey) as caught:
        PublicKey.parse(info)
    assert caught.value.reason is DropReason.CERT_BAD_KEY


def test_a_point_off_the_curve_is_no_key():
    info = bytearray(key("signer").public.info)
    info[-1] ^= 1
    with pytest.raises(BadKey):
        PublicKey.parse(bytes(info))


def test_small_rsa_keys_are_weak():
    """RFC 8247 3.1.1."""
    small = PublicKey.parse(rsa_info(MODULUS >> 1024 | 1 | 1 << 1023, 65537))
    assert (small.bits, small.status) == (1024, Status.WEAK)


def test_what_does_not_sign_is_no_private_key():
    with pytest.raises(LocalError):
        PrivateKey.of(x25519.X25519PrivateKey.from_private_bytes(bytes(32)))
