"""Recorded packets written again: the headers around ESP, AH or a datagram, made by the program itself.

What a sender is free to choose (identification, flow label, ports) is taken from the recording, all else is not.
"""

from collections.abc import Callable
from enum import Enum

from ipsecsim.ipsec.transport import TransportForm
from ipsecsim.ipsec.tunnel import EcnEntry, OuterDontFragment, OuterHeader, TunnelForm
from ipsecsim.wire import ip, ipv4, ipv6, udp
from ipsecsim.wire.checksum import pseudo_header_sum
from ipsecsim.wire.nat_t import Encapsulated, classify
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from tests.vectors.recorded_sa import Opened, RecordedSa
from tests.vectors.results import MismatchError, same

Form = TunnelForm | TransportForm


class Entry(Enum):
    """Where the fields of an outer header come from that RFC 4301 5.1.2 lets the SA decide."""

    COPIED = "from the inner header"
    RECORDED = "from the recording: what the inner header was is not known, or the SA mapped it"


def start_of(packet: bytes, protocol: int) -> int:
    """Where ESP or AH (`protocol`) begins in a packet, behind a UDP header perhaps. Raises MismatchError."""
    ip.check(packet)
    found, start = ip.upper_layer(packet)
    if found != IpProtocol.UDP:
        same("protocol", found, protocol)
        return start
    same("protocol in UDP", protocol, IpProtocol.ESP)
    source_port, destination_port, payload = udp.parse(packet[start : ip.total_length(packet)])
    if NAT_T_PORT not in (source_port, destination_port):
        raise MismatchError(f"no ESP between ports {source_port} and {destination_port}")
    same("on port 4500", classify(payload), Encapsulated.ENCAPSULATED_ESP)
    return start + udp.HEADER_LENGTH


def form_of(packet: bytes, next_header: int, *, is_tunnel: bool, entry: Entry) -> Form:
    """The form that an SA would have whose packets look like this one."""
    protocol, _start = ip.upper_layer(packet)
    if not is_tunnel:
        return TransportForm(protocol)
    same("next header", next_header in (IpProtocol.IPV4, IpProtocol.IPV6), True)
    is_ipv6 = packet[0] >> 4 == 6
    identification = 0 if is_ipv6 else int.from_bytes(packet[4:6], "big")
    hop_limit = ip.hop_limit(packet)
    ends = ip.source(packet), ip.destination(packet)
    if entry is Entry.COPIED:
        return TunnelForm(OuterHeader(*ends, protocol, lambda: identification, hop_limit=hop_limit))
    traffic_class = ip.traffic_class(packet)
    same("ECN", traffic_class & 3, 0)
    outer = OuterHeader(
        *ends,
        protocol,
        lambda: identification,
        dont_fragment=(
            OuterDontFragment.CLEAR if ip.may_be_fragmented_on_the_way(packet) else OuterDontFragment.SET
        ),
        dscp=traffic_class >> 2,
        ecn=EcnEntry.COMPATIBILITY,
        hop_limit=hop_limit,
    )
    return TunnelForm(outer)


def sealed_again(packet: bytes, form: Form, sa: RecordedSa, opened: Opened, inner: bytes) -> bytes:
    """The whole packet once more: what `ipsec.outbound` makes of `inner`, with recorded IV and number."""
    payload, next_header = form.enclose(inner)
    length = sa.transform.length_around(len(payload))
    return around(
        packet, form, inner, length, lambda header: sa.seal_again(opened, header, payload, next_header)
    )


def around(packet: bytes, form: Form, inner: bytes, length: int, seal: Callable[[bytes], bytes]) -> bytes:
    """The header of `packet` once more, and behind it the `length` bytes that `seal` makes of that header."""
    protocol, start = ip.upper_layer(packet)
    in_udp = protocol == IpProtocol.UDP
    header = form.header(inner, length + udp.HEADER_LENGTH if in_udp else length)
    if packet[0] >> 4 == 6:
        header = header[:1] + bytes((header[1] & 0xF0 | packet[1] & 0x0F,)) + packet[2:4] + header[4:]
    sealed = seal(header)
    if in_udp:
        sealed = datagram_again(packet, start, sealed)
    return header + sealed


def same_datagram(packet: bytes) -> None:
    """A packet with a UDP datagram comes out the same when it is built afresh. Raises MismatchError."""
    ip.check(packet)
    protocol, start = ip.upper_layer(packet)
    same("protocol", protocol, IpProtocol.UDP)
    _source_port, _destination_port, payload = udp.parse(packet[start:])
    segment = datagram_again(packet, start, payload)
    if packet[0] >> 4 == 6:
        header6 = ipv6.parse(packet)
        same("extension headers", start, ipv6.HEADER_LENGTH)
        again = ipv6.build(
            header6.source,
            header6.destination,
            header6.next_header,
            segment,
            hop_limit=header6.hop_limit,
            traffic_class=header6.traffic_class,
            flow_label=header6.flow_label,
        )
    else:
        header = ipv4.parse(packet)
        again = ipv4.build(
            header.source,
            header.destination,
            header.protocol,
            segment,
            ttl=header.ttl,
            identification=header.identification,
            tos=header.tos,
            dont_fragment=header.dont_fragment,
            more_fragments=header.more_fragments,
            fragment_offset=header.fragment_offset,
            options=header.options,
        )
    same("datagram written again", again, packet)


def datagram_again(packet: bytes, start: int, payload: bytes) -> bytes:
    """The UDP segment at `start` of `packet`, built afresh around `payload`.

    A sender whose hardware finishes the checksum records the sum of the pseudo header alone: that
    unfinished value is repeated, any other must come out right.
    """
    segment = packet[start:]
    source_port, destination_port, _payload = udp.parse(segment)
    field = int.from_bytes(segment[6:8], "big")
    ends = ip.source(packet), ip.destination(packet)
    again = udp.build(*ends, source_port, destination_port, payload, checksum=field != 0)
    pseudo = pseudo_header_sum(*ends, IpProtocol.UDP, len(again))
    if field == pseudo % 0xFFFF:
        return again[:6] + segment[6:8] + again[8:]
    return again
