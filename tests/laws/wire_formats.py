"""The table of wire formats that the laws are about: how to make, emit and parse values of each."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from ipsecsim.wire import ah, dns, esp, icmpv4, icmpv6, ipv4, ipv6, rtp, udp
from ipsecsim.wire.der import identifier
from ipsecsim.wire.distinguished_name import TYPES, Part, emit, parts
from ipsecsim.wire.ike.auth import DigitalSignature
from ipsecsim.wire.ike.chain import emit_chain, emit_message, parse_chain, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted, EncryptedFragment
from ipsecsim.wire.ike.generic import Payload, UnknownPayload
from ipsecsim.wire.ike.header import HEADER_LENGTH, IkeHeader
from ipsecsim.wire.ike.payloads import PAYLOADS
from ipsecsim.wire.ike.proposal import Proposal, Transform
from ipsecsim.wire.ike.traffic_selector import OPAQUE_PORTS, TrafficSelector
from ipsecsim.wire.numbers import IpProtocol

U8 = st.integers(0, 0xFF)
U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
SOME_BYTES = st.binary(max_size=40)
ADDRESS = st.binary(min_size=4, max_size=4)
ADDRESS_6 = st.binary(min_size=16, max_size=16)


@dataclass(slots=True)
class Format:
    """`whole`: the bytes say how long they are, so that every shorter piece must be refused."""

    name: str
    values: st.SearchStrategy[Any]
    emit: Callable[[Any], bytes]
    parse: Callable[[bytes], Any]
    whole: bool = False


def _transforms() -> st.SearchStrategy[Transform]:
    short = st.tuples(
        st.integers(0x8000, 0xFFFF).filter(lambda number: number != 0x800E), st.binary(min_size=2, max_size=2)
    )
    long = st.tuples(st.integers(0, 0x7FFF), st.binary(max_size=5))
    attributes = st.lists(short | long, max_size=2).map(tuple)
    return st.builds(Transform, U8, U16, st.none() | U16, attributes)


def _selectors() -> st.SearchStrategy[TrafficSelector]:
    def known(ts_type: int, size: int) -> st.SearchStrategy[TrafficSelector]:
        ends = st.lists(st.binary(min_size=size, max_size=size), min_size=2, max_size=2).map(sorted)
        ports = st.just(OPAQUE_PORTS) | st.tuples(U16, U16).map(sorted)
        return st.builds(
            lambda protocol, range_, pair: TrafficSelector(ts_type, protocol, *range_, *pair),
            U8,
            ports,
            ends,
        )

    other_types = U8.filter(lambda number: number not in (7, 8))
    unknown = st.builds(
        TrafficSelector, other_types, U8, st.just(0), st.just(0), st.just(b""), st.just(b""), SOME_BYTES
    )
    return known(7, 4) | known(8, 16) | unknown


def _spis() -> st.SearchStrategy[list[bytes]]:
    return st.integers(1, 8).flatmap(
        lambda size: st.lists(st.binary(min_size=size, max_size=size), max_size=3)
    )


# A payload with fields of these names needs no line here to be tested; a new name needs one.
PAYLOAD_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "attributes": st.lists(st.tuples(st.integers(0, 0x7FFF), st.binary(max_size=20)), max_size=3),
    "body": SOME_BYTES,
    "cfg_type": U8,
    "critical": st.just(False),  # in the generic header, see CHAIN
    "data": st.binary(min_size=16, max_size=60),  # also right for a nonce
    "encoding": U8,
    "first_inner": st.just(0),  # in the generic header, see CHAIN
    "group": U16,
    "id_type": U8,
    "reserved": st.binary(min_size=3, max_size=3),
    "method": U8,
    "notify_type": U16,
    "number": U16,
    "proposals": st.lists(
        st.builds(Proposal, U8, U8, st.binary(max_size=8), st.lists(_transforms(), max_size=3)), max_size=3
    ),
    "protocol": U8,
    "selectors": st.lists(_selectors(), max_size=3),
    "spi": st.binary(max_size=8),
    "spis": _spis(),
    "total": U16,
}


def payloads_of(payload_class: type[Payload]) -> st.SearchStrategy[Payload]:
    return st.builds(
        payload_class, **{field.name: PAYLOAD_FIELDS[field.name] for field in fields(payload_class)}
    )


@st.composite
def chains(draw: st.DrawFn) -> list[Payload]:
    sealed = (Encrypted, EncryptedFragment)
    plain = [payloads_of(row) for row in PAYLOADS.values() if row not in sealed]
    unknown = st.builds(
        UnknownPayload, st.integers(1, 255).filter(lambda number: number not in PAYLOADS), SOME_BYTES
    )
    payloads = draw(st.lists(st.one_of(*plain, unknown), max_size=6))
    if draw(st.booleans()):
        last = draw(st.one_of(*[payloads_of(row) for row in sealed]))
        last.first_inner = draw(U8)
        payloads.append(last)
    for payload in payloads:
        payload.critical = draw(st.booleans())
    return payloads


@st.composite
def messages(draw: st.DrawFn) -> tuple[IkeHeader, list[Payload]]:
    payloads = draw(chains())
    spi = st.binary(min_size=8, max_size=8)
    first, data = emit_chain(payloads)
    header = IkeHeader(
        draw(spi),
        draw(spi),
        first,
        draw(U8),
        draw(U8),
        draw(U32),
        HEADER_LENGTH + len(data),
        0x20 | draw(st.integers(0, 15)),
    )
    return header, payloads


def _emit_chain_with_type(payloads: list[Payload]) -> bytes:
    first, data = emit_chain(payloads)
    return bytes((first,)) + data


def _parse_chain_with_type(data: bytes) -> list[Payload]:
    return parse_chain(data[0], data[1:]) if data else []


_IPV4_VALUES = st.fixed_dictionaries(
    {
        "source": ADDRESS,
        "destination": ADDRESS,
        "protocol": U8,
        "payload": SOME_BYTES,
        "ttl": U8,
        "identification": U16,
        "tos": U8,
        "dont_fragment": st.booleans(),
        "more_fragments": st.booleans(),
        "fragment_offset": st.integers(0, 0x1FFF).map(lambda words: 8 * words),
        "options": st.integers(0, 10).flatmap(
            lambda words: st.binary(min_size=4 * words, max_size=4 * words)
        ),
    }
)


def _parse_ipv4(packet: bytes) -> dict[str, Any]:
    header = ipv4.parse(packet)
    known = {
        field.name: getattr(header, field.name) for field in fields(header) if field.name != "total_length"
    }
    return {**known, "payload": ipv4.payload(packet)}


_IPV6_VALUES = st.fixed_dictionaries(
    {
        "source": ADDRESS_6,
        "destination": ADDRESS_6,
        "next_header": U8.filter(lambda number: number not in ipv6.EXTENSIONS),
        "payload": SOME_BYTES,
        "hop_limit": U8,
        "traffic_class": U8,
        "flow_label": st.integers(0, 0xFFFFF),
    }
)


def _parse_ipv6(packet: bytes) -> dict[str, Any]:
    header = ipv6.parse(packet)
    known = {
        field.name: getattr(header, field.name) for field in fields(header) if field.name != "payload_length"
    }
    return {**known, "payload": packet[ipv6.HEADER_LENGTH : ipv6.total_length(packet)]}


ExtensionHeaders = list[tuple[int, bytes]]
"""Of each its kind and its bytes behind Next Header; last comes the upper layer."""


@st.composite
def extension_headers(draw: st.DrawFn) -> ExtensionHeaders:
    """A chain that obeys the rules; behind a later piece there are no headers any more."""
    first = draw(st.sampled_from([[], [IpProtocol.HOP_BY_HOP]]))
    others = st.sampled_from([IpProtocol.ROUTING, IpProtocol.FRAGMENT, IpProtocol.DESTINATION_OPTIONS])
    headers: ExtensionHeaders = []
    for kind in [*first, *draw(st.lists(others, max_size=4))]:
        words = 0 if kind == IpProtocol.FRAGMENT else draw(st.integers(0, 2))
        data = draw(st.binary(min_size=6 + 8 * words, max_size=6 + 8 * words))
        headers.append((kind, bytes((words,)) + data))
        if kind == IpProtocol.FRAGMENT and (data[0] or data[1] & 0xF8):
            return [*headers, (draw(U8), draw(SOME_BYTES))]
    upper = U8.filter(lambda number: number not in ipv6.EXTENSIONS)
    return [*headers, (draw(upper), draw(SOME_BYTES))]


def emit_extension_headers(headers: ExtensionHeaders) -> bytes:
    payload = b"".join(bytes((following,)) + data for (_, data), (following, _) in pairwise(headers))
    return ipv6.build(bytes(16), bytes(16), headers[0][0], payload + headers[-1][1])


def _parse_extension_headers(packet: bytes) -> ExtensionHeaders:
    ipv6.check(packet)
    chain = ipv6.chain(packet)
    headers: ExtensionHeaders = [
        (kind, packet[start + 1 : start + length]) for kind, start, length in chain.extensions
    ]
    return [*headers, (chain.protocol, packet[chain.start : ipv6.total_length(packet)])]


_ENDS = (b"\x0a\x01\x00\x0a", b"\x0a\x02\x00\x0a")


def _parse_udp(segment: bytes) -> tuple[int, int, bytes]:
    udp.check(*_ENDS, segment)
    return udp.parse(segment)


ERROR_TYPES = st.sampled_from([int(number) for number in sorted(icmpv4.ERROR_TYPES)])
_ICMP_VALUES = (
    st.builds(icmpv4.Echo, st.booleans(), U16, U16, SOME_BYTES)
    | st.builds(icmpv4.IcmpError, ERROR_TYPES, U8, SOME_BYTES, U32)
    | st.builds(icmpv4.UnknownIcmp, st.integers(13, 255), U8, SOME_BYTES)
)
_ENDS6 = (bytes(15) + b"\x01", bytes(15) + b"\x02")
_ICMPV6_VALUES = (
    st.builds(icmpv6.Echo, st.booleans(), U16, U16, SOME_BYTES)
    | st.builds(icmpv6.IcmpError, st.integers(0, 127), U8, SOME_BYTES, U32)
    | st.builds(icmpv6.UnknownIcmp, st.integers(130, 255), U8, SOME_BYTES)
)

_DNS_VALUES = st.builds(
    dns.Message,
    U16,
    st.lists(st.binary(min_size=1, max_size=63), max_size=3).map(tuple),
    U16,
    st.booleans(),
    st.just(b""),
) | st.builds(dns.Message, U16, st.just((b"bob", b"example")), U16, st.just(True), ADDRESS | ADDRESS_6, U32)

CHAIN = Format("payload chain", chains(), _emit_chain_with_type, _parse_chain_with_type)
MESSAGE = Format("IKE message", messages(), lambda pair: emit_message(*pair), parse_message, whole=True)

FORMATS = [
    Format("IPv4", _IPV4_VALUES, lambda value: ipv4.build(**value), _parse_ipv4, whole=True),
    Format("IPv6", _IPV6_VALUES, lambda value: ipv6.build(**value), _parse_ipv6, whole=True),
    Format(
        "IPv6 extension headers",
        extension_headers(),
        emit_extension_headers,
        _parse_extension_headers,
        whole=True,
    ),
    Format("ICMP", _ICMP_VALUES, lambda message: message.emit(), icmpv4.parse),
    Format(
        "ICMPv6",
        _ICMPV6_VALUES,
        lambda message: message.emit(*_ENDS6),
        lambda message: icmpv6.parse(*_ENDS6, message),
    ),
    Format(
        "UDP",
        st.tuples(U16, U16, SOME_BYTES),
        lambda value: udp.build(*_ENDS, *value),
        _parse_udp,
        whole=True,
    ),
    Format(
        "RTP",
        st.builds(rtp.Header, st.integers(0, 127), U16, U32, st.binary(min_size=4, max_size=4)),
        lambda header: rtp.build(*header),
        rtp.parse,
        whole=True,
    ),
    Format("DNS", _DNS_VALUES, lambda message: message.emit(), dns.Message.parse, whole=True),
    Format(
        "ESP",
        st.tuples(U32, U32, SOME_BYTES),
        lambda value: esp.HEADER.pack(*value[:2]) + value[2],
        lambda octets: (*esp.numbers(octets), octets[esp.HEADER_LENGTH :]),
    ),
    Format(
        "AH",
        st.tuples(U32, U32),
        lambda value: ah.FIXED.pack(59, 1, 0, *value),
        lambda packet: ah.numbers(packet, 0, len(packet)),
        whole=True,
    ),
    Format(
        "ESP trailer",
        st.tuples(SOME_BYTES, U8),
        lambda value: value[0] + esp.trailer(len(value[0]), 16, value[1]),
        esp.strip_trailer,
    ),
    Format(
        "IKE header",
        messages().map(lambda pair: pair[0]),
        lambda header: header.emit(),
        IkeHeader.parse,
        whole=True,
    ),
    Format(
        "digital signature",
        st.builds(DigitalSignature, st.binary(min_size=1, max_size=255), SOME_BYTES),
        lambda made: made.emit(),
        DigitalSignature.parse,
    ),
    Format(
        "distinguished name",
        st.lists(
            st.builds(Part, st.sampled_from(sorted(TYPES.values())).map(identifier), st.text(max_size=9)),
            max_size=5,
        ).map(tuple),
        emit,
        parts,
        whole=True,
    ),
    CHAIN,
    MESSAGE,
    *[
        Format(row.__name__, payloads_of(row), lambda payload: payload.emit(), row.parse)
        for row in PAYLOADS.values()
    ],
]
