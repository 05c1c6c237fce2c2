"""swanctl's other values: lists with commas, traffic selectors, secrets."""

import base64
import binascii
import ipaddress
import re

from ipsecsim.base.address import Prefix
from ipsecsim.ike.pools import Pool
from ipsecsim.scenario.model_ipsec import SelectorSpec
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.tree import Node, Seq, Text
from ipsecsim.wire.numbers import IpProtocol

PROTOCOLS = {
    "any": 0,
    "icmp": int(IpProtocol.ICMP),
    "tcp": int(IpProtocol.TCP),
    "udp": int(IpProtocol.UDP),
    "esp": int(IpProtocol.ESP),
    "ah": int(IpProtocol.AH),
    "icmpv6": int(IpProtocol.ICMPV6),
}

_SELECTOR = re.compile(r"([^\[\]]+)(?:\[([^\[\]/]*)(?:/([^\[\]]*))?\])?")


def items(node: Node | None) -> list[Text]:
    """The members of a list, of text with commas, or of nothing; commas inside [ ] do not count."""
    if isinstance(node, Seq):
        return [item for member in node.items if isinstance(member, Text) for item in items(member)]
    if not isinstance(node, Text):
        return []
    found: list[Text] = []
    for match in re.finditer(r"(?:[^,\[]|\[[^\]]*\]?)+", node.value):
        part = match[0].strip()
        if part:
            offset = match.start() + match[0].index(part)
            marks = ((0, 0),) if node.marks else ()
            found.append(Text(part, node.at(offset), marks, node.quoted))
    return found


def address(text: str) -> bytes:
    """A packed address. Raises Mistake."""
    try:
        return ipaddress.ip_address(text).packed
    except ValueError as error:
        raise Mistake(f"'{text}' is no address; write for example 10.1.0.1") from error


def address_4(text: str) -> bytes:
    """A packed IPv4 address. Raises Mistake."""
    packed = address(text)
    if len(packed) != 4:
        raise Mistake(f"'{text}' is an IPv6 address, and this is for IPv4 only")
    return packed


def pool_range(text: str) -> tuple[bytes, bytes]:
    """First and last address of '10.9.0.0/24' (its hosts) or '10.9.0.10-10.9.0.20'. Raises Mistake."""
    low, dash, high = text.partition("-")
    if not dash:
        pool = Pool.of("", prefix(text))
        return pool.first, pool.last
    first, last = address(low.strip()), address(high.strip())
    if len(first) != len(last) or first > last:
        raise Mistake(f"'{text}' is no range of addresses; write for example 10.9.0.10-10.9.0.20")
    return first, last


def prefix(text: str) -> Prefix:
    """'10.1.0.0/24'. Raises Mistake; with host bits set it says which network was meant."""
    try:
        return Prefix.parse(text)
    except ValueError as error:
        try:
            meant = str(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise Mistake(f"'{text}' is no network; write for example 10.1.0.0/24") from error
        raise Mistake(f"'{text}' has host bits set; write {meant}") from error


def selectors(text: str, addresses: list[Prefix]) -> list[SelectorSpec]:
    """'10.1.0.0/24[tcp/80]' as traffic selectors; `addresses` is what its address part stands for."""
    match = _SELECTOR.fullmatch(text)
    protocol, start_port, end_port = 0, 0, 65535
    if match is not None and match[2] is not None:
        protocol = _protocol(match[2])
        start_port, end_port = _ports(match[3])
    return [SelectorSpec(at.first, at.last, protocol, start_port, end_port) for at in addresses]


def selector_address(text: str) -> str:
    """The address part of a traffic selector, after a check of the rest. Raises Mistake."""
    match = _SELECTOR.fullmatch(text)
    if match is None:
        raise Mistake(
            f"'{text}' is no traffic selector; write for example 10.1.0.0/24 or 10.1.0.0/24[tcp/80]"
        )
    if match[2] is not None:
        _protocol(match[2])
        _ports(match[3])
    return match[1].strip()


def show_selector(selector: SelectorSpec) -> str:
    """A traffic selector as text that reads back to it."""
    first, last = int.from_bytes(selector.start, "big"), int.from_bytes(selector.end, "big")
    text = str(Prefix(selector.start, 8 * len(selector.start) - (last - first).bit_length()))
    if selector.protocol == 0 and (selector.start_port, selector.end_port) == (0, 65535):
        return text
    names = {number: name for name, number in PROTOCOLS.items()}
    protocol = names.get(selector.protocol, str(selector.protocol))
    if (selector.start_port, selector.end_port) == (0, 65535):
        return f"{text}[{protocol}]"
    ports = str(selector.start_port)
    if selector.end_port != selector.start_port:
        ports += f"-{selector.end_port}"
    return f"{text}[{protocol}/{ports}]"


def secret(text: str) -> bytes:
    """The bytes of a secret: text, 0x hex or 0s Base64. Raises Mistake."""
    if text.startswith(("0x", "0X")):
        try:
            return bytes.fromhex(text[2:])
        except ValueError as error:
            raise Mistake("after 0x stand pairs of hexadecimal digits") from error
    if text.startswith(("0s", "0S")):
        try:
            return base64.b64decode(text[2:], validate=True)
        except binascii.Error as error:
            raise Mistake("after 0s stands Base64") from error
    if not text:
        raise Mistake("the secret is empty")
    return text.encode()


def show_secret(value: bytes) -> str:
    """A secret as text that reads back to it."""
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        return f"0x{value.hex()}"
    if text.isprintable() and not text.lower().startswith(("0x", "0s")):
        return text
    return f"0x{value.hex()}"


def _protocol(text: str) -> int:
    if text.isdigit() and int(text) < 256:
        return int(text)
    if text not in PROTOCOLS:
        raise Mistake(f"unknown protocol '{text}' in a traffic selector{did_you_mean(text, PROTOCOLS)}")
    return PROTOCOLS[text]


def _ports(text: str | None) -> tuple[int, int]:
    if text is None or text in ("", "any"):
        return 0, 65535
    first, _, last = text.partition("-")
    numbers = [first, last or first]
    if not all(number.isdigit() and len(number) <= 5 and int(number) <= 65535 for number in numbers):
        raise Mistake(f"'{text}' is no port; write 80, or a range 80-90")
    low, high = int(numbers[0]), int(numbers[1])
    if low > high:
        raise Mistake(f"the port range '{text}' is upside down")
    return low, high
