"""Certificates and revocation lists: what is read from them, and octets that are none."""

import datetime
import gc

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.certificates import (
    LARGEST,
    LARGEST_LIST,
    MOST_NAMES,
    AlternativeNames,
    Certificate,
    RevocationList,
)
from ipsecsim.crypto.issuing import Authority, Wish, issue, issue_list, issue_root
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.wire import der
from ipsecsim.wire.distinguished_name import from_text, to_text
from tests.support.certificates import END, START, certificate, key

NAMES = AlternativeNames(
    ("moon.example",), ("moon@example.org",), (bytes([192, 0, 2, 1]), bytes(16)), (from_text("CN=other"),)
)


def root_of(kind=KeyKind.P256) -> Authority:
    mine = key("root", kind)
    return issue_root(
        Wish("O=lab, CN=root", mine.public, 1, START, END, is_authority=True, path_length=1), mine
    )


@pytest.mark.parametrize("kind", KeyKind)
def test_what_was_wished_for_is_read_again_and_issuing_repeats(kind):
    root = root_of(kind)
    wish = Wish("O=lab, CN=moon", key("1", kind).public, 7, START + 1, END - 1, NAMES)
    made = issue(wish, root)
    assert issue(wish, root_of(kind)).der == made.der
    assert str(made) == "O=lab, CN=moon"
    assert made.issuer == root.certificate.subject
    assert (made.serial, made.not_before, made.not_after) == (7, START + 1, END - 1)
    assert made.names.hosts == NAMES.hosts
    assert made.names.mailboxes == NAMES.mailboxes
    assert made.names.addresses == NAMES.addresses
    assert [to_text(each) for each in made.names.directories] == ["CN=other"]
    assert (made.key.info, made.key.kind) == (key("1", kind).public.info, kind)
    assert (made.is_authority, made.may_sign, made.may_certify, made.may_revoke) == (
        False,
        True,
        False,
        False,
    )
    assert made.is_signed_by(root.certificate)
    assert not root.certificate.is_signed_by(made)
    assert root.certificate.is_self_issued
    assert (root.certificate.path_length, root.certificate.may_certify) == (1, True)
    assert Certificate.from_pem(made.pem).der == made.der


@pytest.mark.parametrize("kind", KeyKind)
def test_a_revocation_list_names_serial_numbers(kind):
    root = root_of(kind)
    made = issue_list(root, [3, 5], number=1, this_update=START, next_update=END)
    assert made.der == issue_list(root, [3, 5], number=1, this_update=START, next_update=END).der
    assert (made.serials, made.this_update, made.next_update) == (frozenset([3, 5]), START, END)
    assert made.is_signed_by(root.certificate)
    other = certificate("O=lab, CN=root", own=key("other"))
    assert not made.is_signed_by(other)
    assert RevocationList.parse(made.der).serials == made.serials
    assert made.pem.startswith(b"-----BEGIN X509 CRL-----")


def test_a_flipped_bit_ends_the_signature():
    root = root_of()
    made = issue(Wish("CN=moon", key("moon").public, 7, START, END), root)
    changed = bytearray(made.der)
    changed[changed.index(b"moon")] ^= 1
    assert not Certificate.parse(bytes(changed)).is_signed_by(root.certificate)


GOOD = certificate("moon", hosts=("moon.example",)).der


def extension(octets: bytes, *, critical: bool = False, dotted: str = "2.5.29.17") -> bytes:
    value = x509.UnrecognizedExtension(x509.ObjectIdentifier(dotted), octets)
    mine = key("moon")
    moment = datetime.datetime.fromtimestamp(START, datetime.UTC)
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, mine.public.raw, 1, moment, moment)
    return builder.add_extension(value, critical).sign(mine.raw, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"nothing",
        GOOD[:-1],
        GOOD + b"\0",
        bytes(100),
        b"\x30\x80" + GOOD[4:] + b"\0\0",  # BER: a length that is found at the end
        der.element(der.SEQUENCE, bytes(LARGEST)),
        extension(b"\x30\x05"),  # alternative names that end too early
        extension(b"\x30\x03\x82\x01\xff"),  # a host name that is no text
        extension(b"\x30\x04\x87\x02\x01\x02"),  # an address of two bytes
        extension(b"\x05", dotted="2.5.29.19"),
        extension(b"\x03\x02\x07\x80\x00", dotted="2.5.29.15"),
        b"\x30" * 5000,
    ],
)
@pytest.mark.hos("HOS-60")
def test_octets_that_are_no_certificate(octets):
    with pytest.raises(RemoteError) as caught:
        Certificate.parse(octets)
    assert caught.value.reason is DropReason.CERT_MALFORMED


@pytest.mark.hos("HOS-60")
def test_nesting_has_a_bound():
    nested = der.element(der.NULL)
    for _ in range(2000):
        nested = der.element(der.SEQUENCE, nested)
    with pytest.raises(RemoteError, match="deep"):
        Certificate.parse(nested)


def test_the_number_of_names_has_a_bound():
    with pytest.raises(RemoteError, match="alternative names"):
        certificate("moon", hosts=tuple(f"h{n}.example" for n in range(MOST_NAMES + 1)))


@pytest.mark.hos("HOS-57", "HOS-59")
def test_a_certificate_with_a_key_that_is_none_is_no_certificate():
    start = GOOD.index(key("moon").public.info)
    changed = bytearray(GOOD)
    changed[start + len(key("moon").public.info) - 1] ^= 1  # off the curve
    with pytest.raises(RemoteError) as caught:
        Certificate.parse(bytes(changed))
    assert caught.value.reason is DropReason.CERT_BAD_KEY


def test_every_flipped_byte_is_a_certificate_or_a_clean_refusal():
    reasons = set()
    for at in range(len(GOOD)):
        for mask in (0x01, 0x80, 0xFF):
            changed = bytearray(GOOD)
            changed[at] ^= mask
            try:
                Certificate.parse(bytes(changed))
            except RemoteError as error:
                reasons.add(error.reason)
    assert reasons == {DropReason.CERT_MALFORMED, DropReason.CERT_BAD_KEY}


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", GOOD, der.element(der.SEQUENCE, bytes(LARGEST_LIST))])
def test_octets_that_are_no_revocation_list(octets):
    with pytest.raises(RemoteError) as caught:
        RevocationList.parse(octets)
    assert caught.value.reason is DropReason.CERT_MALFORMED


def test_critical_extensions_that_nobody_knows_are_told():
    assert Certificate.parse(extension(b"\x05\0", critical=True, dotted="1.2.3.4")).strangers == ("1.2.3.4",)
    assert Certificate.parse(extension(b"\x05\0", dotted="1.2.3.4")).strangers == ()


@pytest.mark.hos("HOS-66")
def test_reading_many_certificates_keeps_none_of_them():
    """There is no cache that a peer could fill."""
    gc.collect()  # else garbage of other tests is counted, and gone afterwards
    before = sum(isinstance(each, Certificate) for each in gc.get_objects())
    for serial in range(1, 200):
        certificate("moon", serial=serial)
    gc.collect()
    assert sum(isinstance(each, Certificate) for each in gc.get_objects()) == before


def test_its_time_is_told_in_seconds():
    assert (certificate("moon").not_before, certificate("moon").not_after) == (START, END)
