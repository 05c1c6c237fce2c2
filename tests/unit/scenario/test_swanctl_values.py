import pytest

from ipsecsim.base.address import Prefix
from ipsecsim.base.errors import Place
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.swanctl import values
from ipsecsim.scenario.tree import Seq, Text


def test_commas_part_text_and_lists_alike_with_places():
    text = Text("10.1.0.0/24[tcp/80,443], dynamic", Place("f", 1, 10, ""))
    assert [item.value for item in values.items(text)] == ["10.1.0.0/24[tcp/80,443]", "dynamic"]
    assert [item.place.column for item in values.items(text)] == [10, 35]
    assert [item.value for item in values.items(Seq(text.place, [text, text]))][::3] == [
        "10.1.0.0/24[tcp/80,443]",
        "dynamic",
    ]


@pytest.mark.parametrize(
    "text", ["10.1.0.0/24", "10.1.0.7/32", "0.0.0.0/0", "10.0.0.0/8[udp]", "10.0.0.0/8[tcp/80]"]
)
def test_a_selector_shown_reads_back(text):
    network = Prefix.parse(values.selector_address(text))
    (selector,) = values.selectors(text, [network])
    assert values.show_selector(selector) == text


def test_a_selector_may_limit_protocol_and_ports():
    (selector,) = values.selectors("10.1.0.0/24[tcp/80-90]", [Prefix.parse("10.1.0.0/24")])
    assert (selector.protocol, selector.start_port, selector.end_port) == (6, 80, 90)
    assert values.show_selector(selector) == "10.1.0.0/24[tcp/80-90]"


@pytest.mark.parametrize("secret", [b"tiger", b"\x00\xff", b"0x12", "käse".encode(), b"a\nb", b" "])
def test_a_secret_shown_reads_back(secret):
    assert values.secret(values.show_secret(secret)) == secret


def test_secrets_may_be_hexadecimal_or_base64():
    assert values.secret("0x0102ff") == values.secret("0sAQL/") == b"\x01\x02\xff"


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (values.prefix, "10.1.0.1/24", "'10.1.0.1/24' has host bits set; write 10.1.0.0/24"),
        (values.prefix, "10.1/16", "'10.1/16' is no network"),
        (values.address, "10.1.0.256", "'10.1.0.256' is no address"),
        (values.secret, "0x123", "after 0x stand pairs of hexadecimal digits"),
        (values.secret, "0s=", "after 0s stands Base64"),
        (values.secret, "", "the secret is empty"),
        (
            values.selector_address,
            "10.1.0.0/24[tpc]",
            "unknown protocol 'tpc' in a traffic selector; did you mean",
        ),
        (values.selector_address, "10.1.0.0/24[tcp/90-80]", "the port range '90-80' is upside down"),
        (values.selector_address, "10.1.0.0/24[tcp/http]", "'http' is no port"),
        (values.selector_address, "10.1.0.0/24]", "'10.1.0.0/24]' is no traffic selector"),
    ],
)
def test_a_wrong_value_says_what_to_write(read, text, message):
    with pytest.raises(Mistake) as caught:
        read(text)
    assert caught.value.message.startswith(message)
