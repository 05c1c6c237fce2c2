"""Sentences about the IP stack, and about the world and the applications in it."""

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import format_duration
from ipsecsim.net import events as net
from ipsecsim.observe.packets.packet_summary import icmp_error_name, summary
from ipsecsim.observe.telling.shape import Tellings, count, icmp_clause
from ipsecsim.stack import events as stack
from ipsecsim.stack.nat import events as nat
from ipsecsim.wire import ip
from ipsecsim.wire.icmpv4 import IcmpType
from ipsecsim.wire.numbers import protocol_name


def _delivered(event: stack.PacketDelivered) -> str:
    name = protocol_name(event.protocol)
    is_said = event.to in (name.lower(), "protocol")
    return f"delivered {name} here" if is_said else f"delivered {name} to {event.to}"


def _forwarded(event: stack.PacketForwarded) -> str:
    left = "time to live" if event.version == 4 else "hop limit"
    return f"forwarded to {unpack(event.next_hop)} by {event.outbound}: {left} is now {event.ttl}"


def _is_ipv6(packet: bytes) -> bool:
    """Asked of any bytes: what was recorded need not be a packet."""
    return bool(packet) and ip.version(packet) == 6


def _icmp_error_clause(event: stack.IcmpErrorSent) -> str:
    if len(event.destination) == 16:
        return f"RFC 4443 3.{event.type}"
    return "RFC 1191 4" if event.type == IcmpType.DESTINATION_UNREACHABLE and event.mtu else "RFC 792"


def _fragment_clause(event: stack.PacketFragmented | stack.FragmentStored) -> str:
    return "RFC 791 3.2" if event.version == 4 else "RFC 8200 4.5"


def _icmp_error(event: stack.IcmpErrorSent) -> str:
    version = 4 if len(event.destination) == 4 else 6
    words = icmp_error_name(event.type, event.code, event.mtu, version=version)
    return f"told {unpack(event.destination)} by ICMP{'' if version == 4 else 'v6'}: {words}"


def _endpoint(end: tuple[bytes, int]) -> str:
    return f"{unpack(end[0])}:{end[1]}" if end[1] else unpack(end[0])


def _logged(event: stack.FirewallLogged) -> str:
    way = "".join(
        f" {word} {name}"
        for word, name in (("in", event.inbound), ("out", event.outbound))
        if name is not None
    )
    return f"log: {event.verdict}{way}, by '{event.by}': {summary(event.packet)}"


def _echo_reply(event: net.EchoReplyReceived) -> str:
    trip = format_duration(event.round_trip)
    return f"{event.name}: {unpack(event.source)} answered request {event.sequence} after {trip}"


def _datagram_sent(event: net.DatagramSent) -> str:
    return f"{event.name}: {event.size} B to {unpack(event.destination)} port {event.destination_port}"


def _flow_packet(event: net.FlowPacketArrived) -> str:
    again = " once more" if event.is_repeated else ""
    return f"{event.name}: packet {event.sequence} arrived{again} after {format_duration(event.transit)}"


def _query_answered(event: net.QueryAnswered) -> str:
    found = unpack(event.address) if event.address else "nowhere"
    return f"{event.name}: {event.question} is {found}, known after {format_duration(event.round_trip)}"


def _hop(event: net.HopFound) -> str:
    trip = format_duration(event.round_trip)
    what = "the destination is" if event.is_there else "there is"
    away = count(event.hops, "hop")
    return f"{event.name}: {what} {unpack(event.source)}, {away} away, known after {trip}"


def _refused(event: net.TrafficRefused) -> str:
    words = icmp_error_name(event.type, event.code, event.mtu, version=event.version)
    return f"{event.name}: {unpack(event.source)} says about a packet: {words}"


NETWORK: Tellings = {
    stack.PacketOriginated: (
        lambda e: f"made a packet: {summary(e.packet)}",
        lambda e: "RFC 8200 3" if _is_ipv6(e.packet) else "RFC 791 2.2",
    ),
    stack.PacketForwarded: (_forwarded, lambda e: "RFC 791 3.2" if e.version == 4 else "RFC 8200 3"),
    stack.PacketDelivered: (_delivered, ""),
    stack.AddressTaken: (
        lambda e: f"has {unpack(e.address)} from now on, a virtual address: it lies on none of its links",
        "RFC 7296 2.19",
    ),
    stack.AddressReleased: (
        lambda e: f"gave the virtual address {unpack(e.address)} up",
        "RFC 7296 2.19",
    ),
    stack.EchoAnswered: (
        lambda e: f"answered ping {e.sequence} of {unpack(e.destination)}",
        lambda e: icmp_clause(e.destination, "RFC 4443 4.2"),
    ),
    stack.IcmpErrorSent: (_icmp_error, _icmp_error_clause),
    stack.PacketFragmented: (
        lambda e: f"cut the packet into {e.pieces} fragments of at most {e.mtu} B",
        _fragment_clause,
    ),
    stack.FragmentStored: (
        lambda e: f"kept the fragment at {e.offset} of packet {e.identification} until the others come",
        _fragment_clause,
    ),
    stack.FragmentsAbandoned: (
        lambda e: (
            f"gave up packet {e.identification} and its {count(e.pieces, 'fragment')}: "
            + ("the node goes down" if e.goes_down else "others overlap them")
        ),
        lambda e: "" if e.goes_down else "RFC 8200 4.5",
    ),
    stack.PathMtuLowered: (
        lambda e: f"packets to {unpack(e.destination)} have {e.mtu} B at most from now on",
        lambda e: "RFC 1191 3" if len(e.destination) == 4 else "RFC 8201 4",
    ),
    stack.PacketReassembled: (
        lambda e: (
            f"put packet {e.identification} together from {count(e.pieces, 'fragment')}: {len(e.packet)} B"
        ),
        lambda e: "RFC 8200 4.5" if _is_ipv6(e.packet) else "RFC 791 3.2",
    ),
    stack.ConnectionOpened: (
        lambda e: (
            f"knows a connection from now on: {protocol_name(e.protocol)} {_endpoint(e.source)} > "
            f"{_endpoint(e.destination)}, for {format_duration(e.lifetime)} after its last packet"
        ),
        "",
    ),
    stack.ConnectionForgotten: (
        lambda e: (
            f"forgot the connection {protocol_name(e.protocol)} {_endpoint(e.source)} > "
            f"{_endpoint(e.destination)}: {e.why}"
        ),
        "",
    ),
    stack.FirewallLogged: (_logged, ""),
    stack.RulesChanged: (
        lambda e: (
            f"filters by {count(e.rules, 'rule')} from now on, default {e.default}; "
            f"forgot {count(e.forgotten, 'connection')}"
        ),
        "",
    ),
    nat.MappingMade: (
        lambda e: (
            f"{protocol_name(e.protocol)} {_endpoint(e.inside)} is {_endpoint(e.outside)} outside from now on, "
            f"for {format_duration(e.lifetime)} after its last packet"
        ),
        "RFC 4787 4.1",
    ),
    nat.MappingEnded: (
        lambda e: (
            f"forgot that {protocol_name(e.protocol)} {_endpoint(e.inside)} is {_endpoint(e.outside)} outside: "
            f"{e.why}"
        ),
        "RFC 4787 4.3",
    ),
    nat.PacketTranslated: (
        lambda e: f"exchanged the {e.where} {_endpoint(e.before)} for {_endpoint(e.after)}",
        "RFC 3022 4.1",
    ),
    net.TurnBegan: (lambda e: f"a turn began: {e.stimulus}", ""),
    net.FrameSent: (lambda e: f"put onto {e.link} by {e.interface}: {summary(e.packet)}", ""),
    net.FrameArrived: (lambda e: f"came off {e.link} at {e.interface}: {summary(e.packet)}", ""),
    net.FrameLost: (lambda e: f"{e.link} did not take frame {e.frame}", ""),
    net.FrameDoubled: (lambda e: f"{e.link} made a second frame {e.frame} of {e.original}", ""),
    net.FrameCorrupted: (lambda e: f"a bit of frame {e.frame} goes wrong on {e.link}", ""),
    net.EchoRequestSent: (
        lambda e: f"{e.name}: sent request {e.sequence} to {unpack(e.destination)}",
        lambda e: icmp_clause(e.destination, "RFC 4443 4.1"),
    ),
    net.EchoReplyReceived: (_echo_reply, lambda e: icmp_clause(e.source, "RFC 4443 4.2")),
    net.EchoReplyMissed: (lambda e: f"{e.name}: request {e.sequence} was never answered", ""),
    net.DatagramSent: (_datagram_sent, "RFC 768"),
    net.DatagramReceived: (
        lambda e: f"got {e.size} B from {unpack(e.source)} on port {e.destination_port}",
        "RFC 768",
    ),
    net.InterfaceChanged: (lambda e: f"interface {e.interface} is {'up' if e.is_up else 'down'} now", ""),
    net.SettingChanged: (lambda e: f"{e.path} is {e.value} from now on", ""),
    net.AddressChanged: (
        lambda e: f"interface {e.interface} has {unpack(e.new)} now, and {unpack(e.old)} no more",
        "",
    ),
    net.NodeCrashed: (lambda _: "went down: all that it had in memory is lost", ""),
    net.NodeStarted: (lambda _: "came up again, and knows nothing of what was before", ""),
    net.NodeAskedInVain: (lambda _: "is down, and can not do what the script asks for", ""),
    net.FlowListened: (lambda e: f"{e.name}: listens at UDP port {e.port}", ""),
    net.FlowPacketArrived: (_flow_packet, "RFC 3550 6.4.1"),
    net.QueryAnswered: (_query_answered, "RFC 1035 4.1"),
    net.QueryGivenUp: (
        lambda e: f"{e.name}: asked for {e.question} {count(e.tries, 'time')}, and nobody answered",
        "RFC 1035 4.2.1",
    ),
    net.HopFound: (_hop, lambda e: icmp_clause(e.source, "RFC 4443 3.3")),
    net.HopSilent: (lambda e: f"{e.name}: nobody answers from {count(e.hops, 'hop')} away", ""),
    net.PathMtuFound: (lambda e: f"{e.name}: packets of {e.mtu} B get there in one piece", "RFC 1191 3"),
    net.TrafficRefused: (_refused, lambda e: "RFC 792" if e.version == 4 else "RFC 4443 3"),
    net.NoteTaken: (lambda e: f"note: {e.words}", ""),
}
"""What to say about each event, and its clause."""
