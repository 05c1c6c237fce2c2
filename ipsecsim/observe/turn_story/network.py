"""Turns of the IP stack and of programs: passing on, cutting, joining, asking and answering."""

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import format_duration
from ipsecsim.net import events as net
from ipsecsim.observe.packets.packet_summary import icmp_error_name
from ipsecsim.observe.turn_story import naming
from ipsecsim.observe.turn_story.facts import Facts
from ipsecsim.observe.turn_story.row import Row
from ipsecsim.stack import events as stack

_CAN_READ = {
    "ike": "It reads the IP and UDP headers only. What stands inside is the business of the two ends.",
    "esp": "It reads the outer header only. What is inside is sealed; it has no key.",
    "ah": "It could read all of it, for AH encrypts nothing; but may change only what AH leaves out of its seal.",
    "plain": "It reads the IP header only, but it could read and change all the rest: nothing here is protected.",
}


def _passes_on(_: stack.PacketForwarded, f: Facts) -> str:
    return f"{f.node} passes {f.noun} on to {f.next_node} and lowers its {_hops(f)}."


def _passes_on_why(_: stack.PacketForwarded, f: Facts) -> str:
    return _CAN_READ[naming.layer(f.packet)]


def _hops(f: Facts) -> str:
    forwarded = f.first(stack.PacketForwarded)
    return "time to live" if forwarded is None or forwarded.version == 4 else "hop limit"


def _refused(e: net.TrafficRefused, f: Facts) -> str:
    words = icmp_error_name(e.type, e.code, version=e.version)
    return f"{f.node} is told by {f.name_of(e.source)} that its packet got no further: {words}."


NETWORK: tuple[Row, ...] = (
    Row(
        stack.PacketFragmented,
        "cuts",
        "{f.node} cuts {f.noun} into {e.pieces} fragments of at most {e.mtu} bytes.",
        "Each fragment finds its own way. If one is lost, so is the whole packet.",
    ),
    Row(
        stack.FragmentStored,
        "keeps",
        "{f.node} keeps the fragment at byte {e.offset} until the others come.",
        "Only the first fragment has ports, so whoever needs them must wait for all.",
        lambda e, f: not f.has(stack.PacketReassembled),
    ),
    Row(
        stack.PacketForwarded,
        "forwards",
        "{f.node} lets {f.noun} through and remembers the connection.",
        "Answers are let through from now on, though no rule speaks of them.",
        lambda e, f: f.has(stack.ConnectionOpened),
    ),
    Row(
        stack.PacketForwarded,
        "joins",
        "{f.node} puts the fragments together and passes {f.noun} on to {f.next_node}.",
        "Somebody here needs the whole packet: a fragment has no ports.",
        lambda e, f: f.has(stack.PacketReassembled),
    ),
    Row(stack.PacketForwarded, "forwards", _passes_on, _passes_on_why),
    Row(
        net.PacketReplayed,
        "repeats",
        "{f.node} sends {f.noun} once more, as it saw it on {e.link}.",
        "It has no key and needs none: the seal of a copy is as good as that of the original.",
    ),
    Row(
        net.TrafficRefused,
        "learns",
        "{f.node} learns that a packet was too big, and makes smaller ones.",
        "The router that could not cut it says how large the next link's packets may be.",
        lambda e, f: f.has(stack.PathMtuLowered),
    ),
    Row(
        net.HopFound,
        "learns",
        lambda e, f: (
            f"{f.node} finds {f.name_of(e.source)}, {e.hops} {'hop' if e.hops == 1 else 'hops'} away."
        ),
        lambda e, f: (
            "The probe has reached its destination."
            if e.is_there
            else "The probe's time to live ended there, and the router said so: that gives it away."
        ),
    ),
    Row(
        net.TrafficRefused,
        "learns",
        _refused,
        "The packet is gone; what to do now is the program's business.",
    ),
    Row(
        stack.EchoAnswered,
        "answers",
        "{f.node} answers {f.noun}.",
        "A host answers a ping without asking who wants to know; the answer finds its own way back.",
    ),
    Row(
        net.EchoReplyReceived,
        "accepts",
        lambda e, f: f"{f.node} has the answer to ping {e.sequence}, after {format_duration(e.round_trip)}.",
        "It sees nothing of what the packets were wrapped in on the way.",
    ),
    Row(
        net.EchoRequestSent,
        "sends",
        lambda e, f: f"{f.node} sends ping {e.sequence} to {f.name_of(e.destination)}.",
        "It knows nothing of tunnels: whether the packet is protected is decided further on.",
    ),
    Row(
        net.EchoReplyMissed,
        "gives up",
        "{f.node} waits no longer for the answer to ping {e.sequence}.",
        "It cannot tell whether the ping or its answer was lost, or where.",
    ),
    Row(
        net.FlowPacketArrived,
        "accepts",
        lambda e, f: f"{f.node} gets packet {e.sequence} of {e.name}, after {format_duration(e.transit)}.",
        lambda e, f: (
            "It came once more, and is not counted again."
            if e.is_repeated
            else "How much that varies is what a listener hears as jitter."
        ),
    ),
    Row(
        net.DatagramReceived,
        "accepts",
        lambda e, f: f"{f.node} gets {e.size} bytes from {f.name_of(e.source)} on port {e.destination_port}.",
        "It sees nothing of what they were wrapped in on the way.",
        lambda e, f: not f.has(net.QueryAnswered),
    ),
    Row(
        net.QueryAnswered,
        "learns",
        lambda e, f: f"{f.node} learns that {e.question} is {unpack(e.address) if e.address else 'nowhere'}.",
        "Who answers can say what it likes, unless the way to it is protected.",
    ),
    Row(
        net.QueryGivenUp,
        "gives up",
        "{f.node} asked for {e.question} {e.tries} times, and nobody answered.",
        "Without an address it does not even begin.",
    ),
    Row(
        net.PathMtuFound,
        "learns",
        "{f.node} knows now that packets of {e.mtu} bytes get through in one piece.",
        "Larger ones would be cut on the way, or dropped.",
    ),
    Row(
        net.HopSilent,
        "waits",
        lambda e, f: f"{f.node} heard nothing from {e.hops} {'hop' if e.hops == 1 else 'hops'} away.",
        "Some routers do not answer, and a tunnel counts as one hop, however long it is.",
    ),
    Row(
        net.DatagramSent,
        "sends",
        lambda e, f: (
            f"{f.node} sends {e.size} bytes to {f.name_of(e.destination)}, port {e.destination_port}."
        ),
        "It knows nothing of tunnels: whether they are protected is decided further on.",
    ),
    Row(
        stack.PacketReassembled,
        "joins",
        "{f.node} puts {e.pieces} fragments together: {f.noun} is whole.",
        "Had one of them been lost, all would have been in vain.",
    ),
    Row(
        stack.PacketOriginated,
        "sends",
        "{f.node} sends one byte to {f.receiver}, to keep the NAT's mapping alive.",
        "Without traffic the NAT would forget the mapping, and the peer could not reach this side.",
        lambda e, f: f.noun == "the NAT keepalive",
    ),
    Row(
        stack.PacketDelivered,
        "accepts",
        "{f.node} takes {f.noun}, which is for itself.",
        "What comes of it is the business of whoever waited for it.",
    ),
    Row(
        stack.PacketOriginated,
        "sends",
        "{f.node} sends {f.noun} to {f.receiver}.",
        "Where it goes next is decided by the routing table, and by policy.",
    ),
)
"""The rows, in order."""
