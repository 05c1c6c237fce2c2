"""Signatures: published numbers, forgeries, and AlgorithmIdentifiers that are almost right."""

import hashlib

import gmpy2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.errors import LocalError, RemoteError
from ipsecsim.crypto import emsa_pss
from ipsecsim.crypto.rows import Status
from ipsecsim.crypto.signature_keys import KeyKind, PrivateKey, PublicKey
from ipsecsim.crypto.signatures import CLASSIC, SIGNATURES, fitting, pss_algorithm, scheme_of
from ipsecsim.wire import der
from ipsecsim.wire.ike.auth import DigitalSignature
from ipsecsim.wire.ike.numbers import AuthMethod, HashAlgorithm
from ipsecsim.wire.reader import Malformed
from tests.support.certificates import key, rsa_info

RSA = key("1", KeyKind.RSA)
ROWS = [*SIGNATURES, *CLASSIC.values()]
EACH_WAY = [(row, kind) for row in ROWS for kind in row.kinds]
DATA = b"what is signed"


def entropy():
    return SeededEntropy("signatures")


def key_of(kind: KeyKind) -> PrivateKey:
    return RSA if kind is KeyKind.RSA else key("signer", kind)


def by_word(word: str):
    return next(row for row in ROWS if row.word == word)


# -- every row ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "kind"), EACH_WAY, ids=lambda each: getattr(each, "word", None) or each.value
)
def test_a_signature_holds_for_its_data_and_its_key_only(row, kind):
    mine = key_of(kind)
    signature = row.sign(mine, DATA, entropy())
    assert row.is_good(mine.public, DATA, signature)
    assert row.sign(mine, DATA, entropy()) == signature  # and repeats
    assert not row.is_good(mine.public, DATA + b"!", signature)
    other = key("2", kind) if kind is KeyKind.RSA else key("other", kind)
    assert not row.is_good(other.public, DATA, signature)
    for broken in (b"", bytes(len(signature)), signature[:-1], signature + b"\0", b"\xff" * len(signature)):
        assert not row.is_good(mine.public, DATA, broken)
    for at in range(0, len(signature), 7):
        flipped = bytearray(signature)
        flipped[at] ^= 1
        assert not row.is_good(mine.public, DATA, bytes(flipped))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.word)
def test_a_key_of_another_kind_signs_nothing_and_checks_nothing(row):
    for kind in KeyKind:
        if kind not in row.kinds:
            assert not row.is_good(key_of(kind).public, DATA, bytes(64))
            with pytest.raises(LocalError):
                row.sign(key_of(kind), DATA, entropy())


def test_words_and_identifiers_are_unique():
    assert len({row.word for row in ROWS}) == len(ROWS)
    assert len({row.algorithm for row in SIGNATURES}) == len(SIGNATURES)
    assert all(row.status is Status.CURRENT for row in SIGNATURES)


def test_a_key_begins_with_the_hash_of_its_own_strength():
    best = {kind: fitting(key_of(kind).public)[0].word for kind in KeyKind}
    assert best == {
        KeyKind.RSA: "rsa/pss-sha256",
        KeyKind.P256: "ecdsa-sha256",
        KeyKind.P384: "ecdsa-sha384",
        KeyKind.P521: "ecdsa-sha512",
        KeyKind.ED25519: "ed25519",
        KeyKind.ED448: "ed448",
    }


# -- published numbers --------------------------------------------------------------------------------


def test_the_nonce_of_ecdsa_is_that_of_rfc_6979():
    """RFC 6979 A.2.5, P-256 with SHA-256 over 'sample'."""
    private = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    signer = PrivateKey.of(ec.derive_private_key(private, ec.SECP256R1()))
    r, s = decode_dss_signature(by_word("ecdsa-sha256").sign(signer, b"sample", entropy()))
    assert r == 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
    assert s == 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8
    plain = CLASSIC[AuthMethod.ECDSA_SHA_256_P_256].sign(signer, b"sample", entropy())
    assert plain == r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_the_example_of_rfc_4754_is_good_for_its_curve_and_hash_only():
    """RFC 4754 8.1: ECDSA-256 over 'abc'."""
    private = 0xDC51D3866A15BACDE33D96F992FCA99DA7E6EF0934E7097559C27F1614C88A7F
    public = PrivateKey.of(ec.derive_private_key(private, ec.SECP256R1())).public
    signature = bytes.fromhex(
        "cb28e0999b9c7715fd0a80d8e47a77079716cbbf917dd72e97566ea1c066957c"
        "86fa3bb4e26cad5bf90b7f81899256ce7594bb1ea0c89212748bff3b3d5b0315"
    )
    assert CLASSIC[9].is_good(public, b"abc", signature)
    assert not CLASSIC[10].is_good(public, b"abc", signature)
    assert not CLASSIC[11].is_good(public, b"abc", signature)
    # each method is for one curve, whatever hash it comes with
    for method, kind in ((9, KeyKind.P384), (10, KeyKind.P256), (11, KeyKind.P384)):
        with pytest.raises(LocalError):
            CLASSIC[method].sign(key("signer", kind), b"abc", entropy())


def test_the_examples_of_rfc_8032_come_out():
    """RFC 8032 7.1 and 7.4, the empty message."""
    ed25519 = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    signer = PrivateKey.of(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(ed25519)))
    assert by_word("ed25519").sign(signer, b"", entropy()).hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    ed448 = (
        "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3"
        "528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b"
    )
    signer = PrivateKey.of(Ed448PrivateKey.from_private_bytes(bytes.fromhex(ed448)))
    assert by_word("ed448").sign(signer, b"", entropy()).hex() == (
        "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f"
        "2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a"
        "9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4db"
        "b61149f05a7363268c71d95808ff2e652600"
    )


IDENTIFIERS = {
    "rsa-sha256": "300d06092a864886f70d01010b0500",
    "rsa-sha384": "300d06092a864886f70d01010c0500",
    "rsa-sha512": "300d06092a864886f70d01010d0500",
    "ecdsa-sha256": "300a06082a8648ce3d040302",
    "ecdsa-sha384": "300a06082a8648ce3d040303",
    "ecdsa-sha512": "300a06082a8648ce3d040304",
    "rsa/pss-sha256": "304606092a864886f70d01010a3039a00f300d06096086480165030402010500a11c301a06092a864886f70d0101"
    "08300d06096086480165030402010500a203020120a303020101",
    "ed25519": "300506032b6570",
    "ed448": "300506032b6571",
}


@pytest.mark.parametrize(("word", "octets"), IDENTIFIERS.items())
def test_identifiers_are_those_of_the_appendices(word, octets):
    """RFC 7427 appendix A and RFC 8420 appendix A."""
    assert by_word(word).algorithm.hex() == octets
    assert scheme_of(bytes.fromhex(octets)) is by_word(word)


# -- RSASSA-PSS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1024, 1025, 1031, 2048])
@pytest.mark.parametrize("name", ["sha256", "sha512"])
def test_an_encoded_message_is_a_number_below_the_modulus(bits, name):
    encoded = emsa_pss.encode(DATA, bytes(20), name, bits - 1)
    assert len(encoded) == (bits - 1 + 7) // 8
    assert int.from_bytes(encoded, "big") < 1 << (bits - 1)
    assert encoded[-1] == 0xBC


def test_a_salt_that_does_not_fit_is_our_own_mistake():
    with pytest.raises(LocalError, match="do not fit"):
        emsa_pss.encode(DATA, bytes(64), "sha512", 1023)


def test_another_library_takes_our_signatures_and_we_take_its():
    salted = by_word("rsa/pss-sha256").sign(RSA, DATA, entropy())
    way = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    RSA.public.raw.verify(salted, DATA, way, hashes.SHA256())
    theirs = RSA.raw.sign(DATA, way, hashes.SHA256())
    assert theirs != salted
    assert by_word("rsa/pss-sha256").is_good(RSA.public, DATA, theirs)
    assert not by_word("rsa/pss-sha384").is_good(RSA.public, DATA, theirs)


def pss(*parameters: bytes) -> bytes:
    identifier = der.identifier("1.2.840.113549.1.1.10")
    return der.element(der.SEQUENCE, identifier, der.element(der.SEQUENCE, *parameters))


def digest(dotted: str = "2.16.840.1.101.3.4.2.1", *behind: bytes) -> bytes:
    return der.element(der.SEQUENCE, der.identifier(dotted), *behind)


def explicit(number: int, value: bytes) -> bytes:
    return der.element(der.EXPLICIT + number, value)


def mgf1(*inner: bytes, dotted: str = "1.2.840.113549.1.1.8") -> bytes:
    return explicit(1, der.element(der.SEQUENCE, der.identifier(dotted), *inner))


SHA1, SHA384 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.2"
NULL = der.element(der.NULL)
HASH, MGF, SALT = explicit(0, digest()), mgf1(digest()), explicit(2, der.integer(32))


@pytest.mark.parametrize(
    "octets",
    [pss(HASH, MGF, SALT), pss(explicit(0, digest("2.16.840.1.101.3.4.2.1", NULL)), MGF, SALT)],
    ids=["without NULL, without trailer", "with NULL"],
)
def test_pss_may_be_written_in_several_ways(octets):
    assert scheme_of(octets).word == "rsa/pss-sha256"
    assert scheme_of(pss_algorithm(HashAlgorithm.SHA2_256, 20)).make.salt_length == 20


@pytest.mark.hos("HOS-62", "HOS-65")
@pytest.mark.conf("SIG-03", "SIG-04")
@pytest.mark.parametrize(
    "octets",
    [
        bytes.fromhex("300d06092a864886f70d01010a3000"),  # RFC 7427 A.4.1: empty parameters
        bytes.fromhex(  # RFC 7427 A.4.2: default parameters
            "303e06092a864886f70d01010a3031a00b300906052b0e03021a0500a118301606092a864886f70d010108300906052b"
            "0e03021a0500a203020114a303020101"
        ),
        pss(HASH, MGF),  # the salt's default is 20, but together with SHA-1
        pss(HASH, mgf1(), SALT),
        pss(HASH, mgf1(digest(SHA1)), SALT),
        pss(HASH, mgf1(digest(SHA384)), SALT),
        pss(HASH, mgf1(digest(), dotted="1.2.840.113549.1.1.9"), SALT),
        pss(explicit(0, digest(SHA1)), mgf1(digest(SHA1)), SALT),
        pss(HASH, MGF, explicit(2, der.integer(2**31 - 1))),
        pss(HASH, MGF, explicit(2, der.integer(33))),
        pss(HASH, MGF, explicit(2, bytes.fromhex("0201ff"))),
        pss(HASH, MGF, SALT, explicit(3, der.integer(2))),
        pss(MGF, HASH, SALT),
        pss(HASH, HASH, MGF, SALT),
        pss(HASH, MGF, SALT, explicit(4, der.integer(1))),
        pss(HASH, MGF, explicit(2, der.integer(32) + der.integer(32))),
        pss(HASH, MGF, SALT) + b"\0",
        der.element(der.SEQUENCE, der.identifier("1.2.840.113549.1.1.10")),
        der.element(der.SEQUENCE, der.identifier("1.2.840.113549.1.1.10"), NULL),
    ],
)
def test_parameters_of_pss_that_are_not_to_be_trusted(octets):
    with pytest.raises(RemoteError) as caught:
        scheme_of(octets)
    assert caught.value.reason is DropReason.SIG_PARAMS


# -- AlgorithmIdentifiers -----------------------------------------------------------------------------


@pytest.mark.conf("SIG-02", "SIG-04", "SIG-05")
@pytest.mark.parametrize(
    "octets",
    [
        "",
        "3000",
        "300d06092a864886f70d0101050500",  # sha1WithRSAEncryption
        "300906072a8648ce3d0401",  # ecdsa-with-sha1
        "300906072a8648ce380403",  # dsa-with-sha1
        "300b06092a864886f70d01010b",  # NULL is missing, and required
        "300c06082a8648ce3d0403020500",  # NULL is there, and must not be
        "30800a06082a8648ce3d0403020000",  # BER
        "30810a06082a8648ce3d040302",  # a length in two bytes
        "300a06082a8648ce3d04030200",  # a byte too many
        "300506032b6574",  # a neighbour of Ed25519's
        "3003020101",
    ],
)
def test_other_identifiers_are_refused_however_close_they_are(octets):
    with pytest.raises(RemoteError) as caught:
        scheme_of(bytes.fromhex(octets))
    assert caught.value.reason is DropReason.SIG_PARAMS


@pytest.mark.conf("SIG-02")
@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0signature", b"\xff" + bytes(100), b"\x06\x30\x03\x06\x01\x00"]
)
def test_the_length_before_the_identifier_must_be_right(data):
    with pytest.raises(Malformed) as caught:
        DigitalSignature.parse(data)
    assert caught.value.reason is DropReason.SIG_PARAMS


def test_a_digital_signature_begins_as_in_the_example_of_rfc_7427():
    """RFC 7427 B.1, with another identifier."""
    made = DigitalSignature(by_word("rsa-sha256").algorithm, b"signature")
    assert made.emit().hex().startswith("0f300d06092a864886f70d01010b0500")
    assert DigitalSignature.parse(made.emit()) == made


# -- forged blocks ------------------------------------------------------------------------------------

SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def signed_block(block: bytes) -> bytes:
    """What a forger would like: a block of his own, as if it had been signed."""
    numbers = RSA.raw.private_numbers()
    value = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(256, "big")


def block(info: bytes, digest: bytes, *, behind: bytes = b"", padding: int | None = None) -> bytes:
    fill = 256 - 3 - len(info) - len(digest) - len(behind) if padding is None else padding
    made = b"\0\x01" + b"\xff" * fill + b"\0" + info + digest + behind
    return made + bytes(256 - len(made))


DIGEST = hashlib.sha256(DATA).digest()


def test_the_right_block_is_taken():
    assert by_word("rsa-sha256").is_good(RSA.public, DATA, signed_block(block(SHA256_INFO, DIGEST)))


@pytest.mark.conf("SIG-07")
@pytest.mark.hos("HOS-58", "HOS-64")
@pytest.mark.parametrize(
    "forged",
    [
        block(SHA256_INFO, DIGEST, padding=8),  # the rest is junk
        block(SHA256_INFO, DIGEST, behind=b"\0"),
        block(SHA256_INFO, DIGEST[:-1]),
        block(b"", DIGEST),
        block(bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20", DIGEST),  # without NULL
        block(
            bytes.fromhex("3033300f0609608648016503040201") + b"\x05\x02\0\0\x04\x20", DIGEST
        ),  # junk in NULL
        b"\0\x02" + block(SHA256_INFO, DIGEST)[2:],
        block(SHA256_INFO, DIGEST).replace(b"\xff\xff\xff\xff", b"\xff\xfe\xff\xff", 1),
        block(SHA256_INFO.replace(b"\x02\x01\x05", b"\x02\x02\x05"), DIGEST),
    ],
)
def test_blocks_that_look_almost_right_are_refused(forged):
    assert len(forged) == 256
    assert not by_word("rsa-sha256").is_good(RSA.public, DATA, signed_block(forged))


@pytest.mark.conf("SIG-07")
@pytest.mark.hos("HOS-58")
def test_with_the_exponent_3_a_block_can_be_forged_that_is_right_at_its_beginning_and_is_refused():
    modulus = RSA.public.raw.public_numbers().n
    public = PublicKey.parse(rsa_info(modulus, 3))
    begins = b"\0\x01" + b"\xff" * 8 + b"\0" + SHA256_INFO + DIGEST
    highest = int.from_bytes(begins + b"\xff" * (256 - len(begins)), "big")
    root = int(gmpy2.iroot(highest, 3)[0])
    assert (root**3).to_bytes(256, "big").startswith(begins)
    assert not by_word("rsa-sha256").is_good(public, DATA, root.to_bytes(256, "big"))


@pytest.mark.conf("SIG-07")
@pytest.mark.hos("HOS-61")
@pytest.mark.parametrize("row", [row for row in ROWS if KeyKind.RSA in row.kinds], ids=lambda row: row.word)
def test_numbers_that_are_no_signatures_are_refused(row):
    modulus = RSA.public.raw.public_numbers().n
    for value in (0, 1, modulus - 1, modulus):
        assert not row.is_good(RSA.public, DATA, value.to_bytes(256, "big"))


@pytest.mark.parametrize("kind", [KeyKind.P256, KeyKind.P384, KeyKind.P521])
def test_numbers_outside_the_curves_order_are_refused(kind):
    mine = key_of(kind)
    length = (mine.public.bits + 7) // 8
    row = next(row for row in CLASSIC.values() if kind in row.kinds)
    order = mine.raw.curve.group_order
    good = row.sign(mine, DATA, entropy())
    s = int.from_bytes(good[length:], "big")
    for r_and_s in ((0, 1), (1, 0), (order, s), (1, order), (0, 0)):
        assert not row.is_good(mine.public, DATA, b"".join(n.to_bytes(length, "big") for n in r_and_s))


def test_method_1_signs_with_sha_1_and_takes_better_hashes():
    """RFC 7296 3.8."""
    classic = CLASSIC[AuthMethod.RSA_DIGITAL_SIGNATURE]
    assert classic.status is Status.WEAK
    signature = classic.sign(RSA, DATA, entropy())
    RSA.public.raw.verify(signature, DATA, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    for word in ("rsa-sha256", "rsa-sha384", "rsa-sha512"):
        assert classic.is_good(RSA.public, DATA, by_word(word).sign(RSA, DATA, entropy()))
    with_md5 = RSA.raw.sign(DATA, padding.PKCS1v15(), hashes.MD5())  # noqa: S303
    assert not classic.is_good(RSA.public, DATA, with_md5)
