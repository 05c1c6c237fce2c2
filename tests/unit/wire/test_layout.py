import pytest

from ipsecsim.wire.layout import AUTHENTICATED, CLEAR, Field, Layer, hex_text, printable_text, size_text


def test_fields_are_noted_with_absolute_ranges_and_values():
    layer = Layer(b"\xff\x01\x02\x03\x04\xff", "sample", 1, 5)
    with layer.reading():
        assert layer.number("first", 2) == 0x0102
        assert layer.octets("second", 1) == b"\x03"
        assert layer.rest("third") == b"\x04"
    assert [(each.name, each.start, each.end, each.value) for each in layer.field.children] == [
        ("first", 1, 3, "258"),
        ("second", 3, 4, "03"),
        ("third", 4, 5, "04"),
    ]


def test_what_cannot_be_read_becomes_a_field():
    layer = Layer(b"\x01\x02\x03", "sample", 0, 3)
    with layer.reading():
        layer.number("first")
        layer.number("second", 4)
    assert layer.field.children[-1] == Field("malformed", 1, 3, "4 bytes wanted, 2 left", protection=CLEAR)


def test_what_is_left_over_becomes_a_field():
    layer = Layer(b"\x01\x02\x03", "sample", 0, 3)
    with layer.reading():
        layer.number("first")
    assert layer.field.children[-1].value == "2 bytes too many"


def test_parts_of_bytes_know_their_bits():
    layer = Layer(b"\x40\x17", "sample", 0, 2)
    with layer.reading():
        assert layer.bits(("flags", 3, str), ("offset", 13, str)) == [2, 0x17]
    flags, offset = layer.field.children
    assert (flags.start, flags.end, flags.bits) == (0, 1, (0, 3))
    assert (offset.start, offset.end, offset.bits) == (0, 2, (3, 13))


def test_a_layer_below_has_its_own_end():
    layer = Layer(b"\x01\x02\x03", "outer", 0, 3, protection=AUTHENTICATED)
    with layer.reading():
        below = layer.inner("inner", 2)
        with below.reading():
            below.number("too long", 3)
        layer.number("after")
    assert [each.name for each in layer.field.children] == ["inner", "after"]
    assert layer.field.children[0].children[0].name == "malformed"
    assert {each.protection for _, each in layer.field.walk()} == {AUTHENTICATED}


def test_find_follows_names_and_walk_goes_outermost_first():
    inner = Field("c", 1, 2)
    root = Field("a", 0, 3, children=[Field("b", 0, 2, children=[inner]), Field("c", 2, 3)])
    assert root.find("b", "c") is inner
    assert root.find("b", "x") is None
    assert root.find() is root
    assert [(depth, each.name) for depth, each in root.walk()] == [(0, "a"), (1, "b"), (2, "c"), (1, "c")]
    root.shift(10)
    assert (inner.start, inner.end) == (11, 12)


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"", ""), (b"\x01\xff", "01ff"), (bytes(20), "00" * 20), (bytes(21), "00" * 20 + "... (21 bytes)")],
)
def test_hex_of_long_bytes_is_cut(data, text):
    assert hex_text(data) == text


def test_what_a_peer_wrote_cannot_move_the_cursor():
    assert printable_text(b"a\x1b[2Jb\r\n\xff") == r"a\x1b[2Jb\r\n\xff"
    assert printable_text("gr\u00fcn\u202e".encode()) == "gr\u00fcn\\u202e"


def test_one_byte_is_singular():
    assert (size_text(0), size_text(1), size_text(2)) == ("0 bytes", "1 byte", "2 bytes")
