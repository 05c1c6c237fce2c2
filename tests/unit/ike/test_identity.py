"""Identities: from text, on the wire, and which of them a configuration means."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ike.identity import LONGEST, LONGEST_NAME, Identity, expected
from ipsecsim.wire.distinguished_name import from_text
from ipsecsim.wire.ike.numbers import IdType
from ipsecsim.wire.reader import Malformed


@pytest.mark.parametrize(
    ("text", "kind", "data"),
    [
        ("192.0.2.1", IdType.ID_IPV4_ADDR, bytes([192, 0, 2, 1])),
        ("2001:db8::1", IdType.ID_IPV6_ADDR, bytes.fromhex("20010db8000000000000000000000001")),
        ("carol@example.org", IdType.ID_RFC822_ADDR, b"carol@example.org"),
        ("moon.example", IdType.ID_FQDN, b"moon.example"),
        ("@moon.example", IdType.ID_FQDN, b"moon.example"),
        ("fqdn:carol@example.org", IdType.ID_FQDN, b"carol@example.org"),
        ("email:carol", IdType.ID_RFC822_ADDR, b"carol"),
        ("keyid:moon", IdType.ID_KEY_ID, b"moon"),
        ("@#0a0B", IdType.ID_KEY_ID, b"\x0a\x0b"),
        ("O=lab, CN=moon", IdType.ID_DER_ASN1_DN, from_text("O=lab, CN=moon")),
        ("asn1dn:CN=moon", IdType.ID_DER_ASN1_DN, from_text("CN=moon")),
    ],
)
def test_text_says_what_kind_of_identity_it_is(text, kind, data):
    assert Identity.from_text(text) == Identity(kind, data)
    Identity.from_text(text).check()


def test_identities_are_told_as_people_write_them():
    for text in ("192.0.2.1", "2001:db8::1", "carol@example.org", "moon.example", "O=lab, CN=moon"):
        assert str(Identity.from_text(text)) == text
    assert str(Identity(IdType.ID_DER_ASN1_DN, b"\x30\x05")) == "3005"
    assert str(Identity(IdType.ID_IPV4_ADDR, b"abc")) == "abc"


@pytest.mark.parametrize("text", ["@#0g", "=", "CN=a, b", "asn1dn:moon"])
def test_text_that_is_no_identity_is_refused(text):
    with pytest.raises(ValueError, match=r"hex|name"):
        Identity.from_text(text)


@pytest.mark.conf("ARC-17")
@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        (
            "*.example.org",
            ["a.example.org", "b.a.Example.ORG"],
            ["example.org", "evilexample.org", ".example.org", "a.example.org.evil", "x@a.example.org"],
        ),
        (
            "*@example.org",
            ["carol@example.org", "dave@EXAMPLE.org"],
            ["carol@evilexample.org", "carol@a.example.org", "@example.org", "example.org"],
        ),
        ("10.1.0.0/24", ["10.1.0.0", "10.1.0.255"], ["10.1.1.0", "10.0.255.255", "a.example"]),
        ("10.1.0.5-10.1.0.9", ["10.1.0.5", "10.1.0.9"], ["10.1.0.4", "10.1.0.10"]),
        ("2001:db8::/64", ["2001:db8::1"], ["2001:db8:0:1::1", "10.1.0.1"]),
        ("C=US, O=BBN, *", ["C=US, O=BBN, CN=a", "C=US, O=BBN"], ["C=US, O=BBN Technologies, CN=a", "O=BBN"]),
        ("O=lab, CN=*", ["O=lab, CN=a"], ["O=lab", "O=lab, CN=a, CN=b", "O=other, CN=a"]),
        ("moon.example", ["moon.example", "MOON.example"], ["amoon.example", "moon.example.org"]),
        ("Carol@example.org", ["Carol@Example.org"], ["carol@example.org"]),
        ("O=Lab, CN=moon", ["o=lab, cn=Moon"], ["O=Lab", "O=Lab, CN=moon, CN=x"]),
        ("keyid:Moon", ["keyid:Moon"], ["keyid:moon", "keyid:Moon2", "Moon"]),
        ("10.1.0.1/32", ["10.1.0.1"], ["10.1.0.2"]),
    ],
)
def test_a_configuration_means_one_peer_or_a_group_of_them(pattern, inside, outside):
    meant = expected(pattern.removesuffix("/32"))
    assert meant is not None
    assert [text for text in inside if not meant.covers(Identity.from_text(text))] == []
    assert [text for text in outside if meant.covers(Identity.from_text(text))] == []


def test_anybody_is_nobody_in_particular():
    assert expected("%any") is None
    assert str(expected("*.example.org")) == "*.example.org"


def test_names_of_broken_octets_are_covered_by_nothing():
    broken = Identity(IdType.ID_DER_ASN1_DN, b"\x30\x05abc")
    for pattern in ("O=lab, CN=moon", "O=lab, *"):
        meant = expected(pattern)
        assert meant is not None
        assert not meant.covers(broken)
    assert not Identity(IdType.ID_IPV4_ADDR, b"abc").covers(Identity.from_text("1.2.3.4"))


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (IdType.ID_IPV4_ADDR, bytes(5), DropReason.ID_MALFORMED),
        (IdType.ID_IPV6_ADDR, bytes(4), DropReason.ID_MALFORMED),
        (IdType.ID_FQDN, b"", DropReason.ID_MALFORMED),
        (IdType.ID_FQDN, b"moon.example\0.evil.example", DropReason.ID_MALFORMED),
        (IdType.ID_FQDN, b"moon.example\r\n", DropReason.ID_MALFORMED),
        (IdType.ID_FQDN, "zoë.example".encode(), DropReason.ID_MALFORMED),
        (IdType.ID_RFC822_ADDR, b"carol\0@example.org", DropReason.ID_MALFORMED),
        (IdType.ID_RFC822_ADDR, b"\xff@example.org", DropReason.ID_MALFORMED),
        (IdType.ID_DER_ASN1_DN, from_text("CN=moon")[:-1], DropReason.ID_MALFORMED),
        (IdType.ID_DER_ASN1_DN, from_text("CN=moon") + b"\0", DropReason.ID_MALFORMED),
        (IdType.ID_DER_ASN1_GN, b"\x82\x80", DropReason.ID_MALFORMED),
        (IdType.ID_KEY_ID, b"", DropReason.ID_MALFORMED),
        (IdType.ID_FQDN, b"a" * (LONGEST_NAME + 1), DropReason.ID_TOO_LONG),
        (IdType.ID_KEY_ID, bytes(LONGEST + 1), DropReason.ID_TOO_LONG),
        (200, bytes(65_000), DropReason.ID_TOO_LONG),
    ],
)
def test_octets_that_name_nobody_are_refused(kind, data, reason):
    with pytest.raises(Malformed) as caught:
        Identity(kind, data).check()
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (IdType.ID_RFC822_ADDR, "zoë@example.org".encode()),
        (IdType.ID_KEY_ID, bytes(LONGEST)),
        (IdType.ID_NULL, b""),
        (200, b"something new"),
        (IdType.ID_DER_ASN1_GN, bytes.fromhex("8204") + b"moon"),
    ],
)
def test_unusual_names_are_names(kind, data):
    Identity(kind, data).check()
