"""Distinguished names from text to DER and back, and which of them lie below others."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import der
from ipsecsim.wire.distinguished_name import (
    MOST_PARTS,
    covers,
    from_text,
    is_below,
    parts,
    parts_of_text,
    to_text,
)
from ipsecsim.wire.reader import Malformed


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("C=CH", "300d310b3009060355040613024348"),
        # letters beyond ASCII are UTF-8
        ("CN=Zoë", "300f310d300b06035504030c045a6fc3ab"),
    ],
)
def test_text_becomes_der(text, octets):
    assert from_text(text).hex() == octets
    assert to_text(from_text(text)) == text


def test_several_parts_keep_their_order_and_commas_can_be_escaped():
    text = r"C=CH, O=a company\, the only one, CN=moon, E=moon@example.org, DC=example"
    assert [part.value for part in parts(from_text(text))] == [
        "CH",
        "a company, the only one",
        "moon",
        "moon@example.org",
        "example",
    ]


@pytest.mark.parametrize("text", [r"O=a\, b, CN=\\", "DC=é, E=ö@example.org", "CN=a, CN=b"])
def test_text_reads_back(text):
    assert to_text(from_text(text)) == text


@pytest.mark.parametrize("text", ["moon", "CN", "CN=a, moon", "XX=a"])
def test_text_that_is_no_name_is_refused(text):
    with pytest.raises(ValueError, match="is no distinguished name"):
        from_text(text)


@pytest.mark.parametrize("octets", ["", "3000ff", "31023000", "300d310b3009060355040613024348ff"])
def test_octets_that_are_no_name_are_malformed(octets):
    with pytest.raises(Malformed) as caught:
        parts(bytes.fromhex(octets))
    assert caught.value.reason is DropReason.ID_MALFORMED


def test_a_name_has_only_so_many_parts():
    one = from_text("CN=a")[2:]
    assert len(parts(der.element(der.SEQUENCE, one * MOST_PARTS))) == MOST_PARTS
    with pytest.raises(Malformed, match="more than"):
        parts(der.element(der.SEQUENCE, one * (MOST_PARTS + 1)))


def test_case_spaces_and_the_kind_of_string_make_no_difference():
    printable, utf8 = from_text("O=A  Company, CN=moon"), from_text("O=a company, CN=Moon")
    other = utf8.replace(b"\x13\x09a company", b"\x0c\x09a company")
    assert other != utf8
    assert covers(parts(printable), parts(other))
    assert not covers(parts(printable), parts(from_text("O=a company")))
    assert covers(parts_of_text("O=a company, CN=*"), parts(printable))


@pytest.mark.conf("ARC-17")
def test_a_sub_tree_is_what_begins_with_the_same_parts():
    tree = parts_of_text("C=US, O=BBN")
    assert is_below(tree, parts(from_text("C=US, O=BBN, CN=Stephen")))
    assert is_below(tree, parts(from_text("C=US, O=BBN")))
    assert not is_below(tree, parts(from_text("O=BBN, C=US, CN=Stephen")))
    assert not is_below(tree, parts(from_text("C=US, O=BBN Technologies")))
    assert not is_below(tree, parts(from_text("C=US")))


@pytest.mark.parametrize("text", ["CN=", "O=a company, CN=" + 65 * "x"])
def test_a_value_that_no_issuer_would_write_is_refused_by_its_length(text):
    with pytest.raises(ValueError, match="give it 1 to 64"):
        from_text(text)
