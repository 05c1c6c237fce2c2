"""One sentence for every kind of event, and where the standards speak of it.

A new event needs a row here; `tests/laws` lists those that have none. Sentences are without a full stop,
so that a view can go on with the clause. Clauses of drops stand in `base/drop_reasons.py`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ipsecsim.base import trace
from ipsecsim.base.address import unpack
from ipsecsim.base.instant import format_duration
from ipsecsim.base.trace import TraceEvent
from ipsecsim.ike import events as ike
from ipsecsim.ipsec import events as ipsec
from ipsecsim.net import events as net
from ipsecsim.observe.packet_summary import icmp_error_name, message_name, summary
from ipsecsim.stack import events as stack
from ipsecsim.wire import ah, esp, ip
from ipsecsim.wire.icmpv4 import IcmpType
from ipsecsim.wire.numbers import protocol_name

Clause = str | Callable[[Any], str]
Telling = tuple[Callable[[Any], str], Clause]


def explain(event: TraceEvent) -> str:
    """What happened, in plain words. Raises KeyError for an event without a row."""
    return SENTENCES[type(event)][0](event)


def clause(event: TraceEvent) -> str:
    """Where the standards speak of it: 'RFC 4303 3.4.3'; '' where it is no matter of theirs."""
    where = SENTENCES[type(event)][1]
    return where if isinstance(where, str) else where(event)


# -- packets --------------------------------------------------------------------------------------


def _delivered(event: stack.PacketDelivered) -> str:
    name = protocol_name(event.protocol)
    is_said = event.to in (name.lower(), "protocol")
    return f"delivered {name} here" if is_said else f"delivered {name} to {event.to}"


def _dropped(event: trace.PacketDropped) -> str:
    detail = f" [{event.detail}]" if event.detail else ""
    return f"dropped {len(event.packet)} B: {event.reason.sentence} ({event.reason.name}){detail}"


def _sealed(event: ipsec.PacketSealed) -> str:
    carried = event.carried
    if event.protocol == "AH":
        parts = [f"{ah.FIXED_LENGTH} header", f"{event.icv_length} ICV"]
        if event.padding:
            parts.append(f"{event.padding} padding")
        parts.append(str(carried))
    else:
        parts = [f"{esp.HEADER_LENGTH} header", f"{event.iv_length} IV", str(carried)]
        if event.padding:
            parts.append(f"{event.padding} padding")
        parts += [f"{esp.TRAILER_LENGTH} trailer", f"{event.icv_length} ICV"]
    return (
        f"{'signed' if event.protocol == 'AH' else 'sealed'} {len(event.inner)} B in {_wrapping(event)} "
        f"as sequence {event.sequence} of SPI {event.spi:08x}: {' + '.join(parts)} = {event.length} B"
    )


def _wrapping(event: ipsec.PacketSealed) -> str:
    mode = "" if event.mode == "tunnel" else f" {event.mode} mode"
    return f"{event.protocol}{mode}{' in UDP' if event.in_udp else ''}"


def _opened(event: ipsec.PacketOpened) -> str:
    kind = "" if event.protocol == "ESP" else f" ({event.protocol})"
    checks = ["ICV", "selectors"] if event.is_authenticated else ["selectors"]
    window = "nobody looks for replays"
    if event.window_top is not None:
        checks.insert(0, "replay check")
        window = f"the window's top is {event.window_top}"
    good = f"{', '.join(checks[:-1])} and {checks[-1]}" if checks[1:] else f"no ICV, but the {checks[0]}"
    return (
        f"opened sequence {event.sequence} of SPI {event.spi:08x}{kind}: {good} are good, {window}; "
        f"inside: {summary(event.inner)}"
    )


def _resynchronised(event: ipsec.SequenceResynchronised) -> str:
    return (
        f"SPI {event.spi:08x} had lost count: sequence {event.found} was tried instead of {event.expected}, "
        "and its ICV is good"
    )


def _replay_rejected(event: ipsec.ReplayRejected) -> str:
    age = event.window_top - event.sequence
    return (
        f"refused sequence {event.sequence} of SPI {event.spi:08x}: "
        f"{age} below the window's top {event.window_top}, seen before or too old to tell"
    )


def _policy_matched(event: ipsec.PolicyMatched) -> str:
    direction = "outbound" if event.direction == "out" else "inbound"
    return f"the {direction} packet matches SPD rule {event.policy}: {event.verdict.upper()}"


def _held(event: ipsec.PacketHeld) -> str:
    return f"rule {event.policy} has no SA yet: {len(event.packet)} B wait while IKE is asked for one"


def _installed(event: ipsec.SaInstalled) -> str:
    ends = f"{unpack(event.source)} > {unpack(event.destination)}"
    ports = "" if event.udp_ports is None else ", in UDP {} > {}".format(*event.udp_ports)
    kind = "" if event.protocol == "ESP" else f"{event.protocol} "
    return (
        f"installed the {event.direction}bound {kind}SA {event.spi:08x} for {event.policy}: {event.mode} mode, "
        f"{event.suite}, {ends}{ports}, for {'; '.join(event.selectors)}"
    )


def _removed(event: ipsec.SaRemoved) -> str:
    return (
        f"removed the {event.direction}bound SA {event.spi:08x} of {event.policy}: "
        f"it carried {_count(event.packets, 'packet')}, {event.octets} B"
    )


def _forwarded(event: stack.PacketForwarded) -> str:
    left = "time to live" if event.version == 4 else "hop limit"
    return f"forwarded to {unpack(event.next_hop)} by {event.outbound}: {left} is now {event.ttl}"


def _is_ipv6(packet: bytes) -> bool:
    """Asked of any bytes: what was recorded need not be a packet."""
    return bool(packet) and ip.version(packet) == 6


def _icmp_clause(address: bytes, of_ipv6: str) -> str:
    return "RFC 792" if len(address) == 4 else of_ipv6


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


# -- IKE ------------------------------------------------------------------------------------------


def _message(verb: str) -> Callable[[Any], str]:
    def tell(event: ike.IkeMessageSent | ike.IkeMessageReceived) -> str:
        name = message_name(event.exchange, event.message_id, is_response=event.is_response)
        payloads = ", ".join(event.payloads) or "no payload"
        inside = f"SK {{{payloads}}}" if event.sealed else payloads
        return f"{verb} {name} ({event.length} B): {inside}"

    return tell


_EXCHANGES = {
    "IKE_SA_INIT": "RFC 7296 1.2",
    "IKE_AUTH": "RFC 7296 1.2",
    "CREATE_CHILD_SA": "RFC 7296 1.3",
    "INFORMATIONAL": "RFC 7296 1.4",
}


def _exchange_clause(event: ike.IkeMessageSent | ike.IkeMessageReceived) -> str:
    return _EXCHANGES.get(event.exchange, "RFC 7296 3.1")


def _nat(event: ike.NatDetected) -> str:
    if event.we_are_behind and event.peer_is_behind:
        return "both sides are behind a NAT: ESP will ride in UDP"
    if event.we_are_behind:
        return "this side is behind a NAT: ESP will ride in UDP"
    if event.peer_is_behind:
        return "the peer is behind a NAT: ESP will ride in UDP"
    return "no NAT between the two: both hashes fit the addresses seen"


def _ike_keys(event: ike.IkeKeysDerived) -> str:
    cipher = f"{event.encryption} {event.encryption_bits}"
    if event.integrity:
        cipher += f", {event.integrity}"
    return (
        f"derived SKEYSEED {_start_of(event.skeyseed)} from nonces and shared secret, and from it the seven "
        f"SK_ keys ({cipher}; SK_ei {_start_of(event.sk_ei)}, SK_er {_start_of(event.sk_er)})"
    )


def _chain_believed(event: ike.ChainBelieved) -> str:
    until = datetime.fromtimestamp(event.until, UTC)
    return f"believed the certificates {' < '.join(event.subjects)} until {until:%Y-%m-%d %H:%M}"


def _state(event: ike.StateChanged) -> str:
    return (
        f"connection {event.connection}: the IKE SA went from {event.before} to {event.after}: {event.step}"
    )


def _narrowed(event: ike.SelectorsNarrowed) -> str:
    how = "less than was offered" if event.is_less_than_offered else "all that was offered"
    return f"traffic selectors of {event.child}: {event.local} === {event.remote}, {how}"


def _child_created(event: ike.ChildSaCreated) -> str:
    protocol = f"{event.protocol} " if event.protocol != "ESP" else ""
    mode = f"{event.mode} mode, " if event.mode != "tunnel" else ""
    return (
        f"Child SA {event.child} is agreed on: {protocol}{event.suite}, {mode}"
        f"SPI {event.spi_in:08x} in, SPI {event.spi_out:08x} out"
    )


def _transport_declined(event: ike.TransportModeDeclined) -> str:
    who = "the peer declines" if event.by_peer else "declines"
    return f"{who} transport mode for {event.child}: it is in tunnel mode"


def _child_rekeyed(event: ike.ChildRekeyed) -> str:
    who = "the peer gave" if event.by_peer else "we gave"
    return (
        f"{who} Child SA {event.child} new keys: SPI {event.new_spi:08x} in the place of {event.old_spi:08x}"
    )


def _ike_rekeyed(event: ike.IkeRekeyed) -> str:
    who = "the peer" if event.by_peer else "we"
    return (
        f"{who} replaced IKE SA {event.old_spi_i.hex()} by {event.spi_i.hex()} {event.spi_r.hex()}, "
        "which takes over its children"
    )


def _rekey_collided(event: ike.RekeyCollided) -> str:
    which = "the peer's new SA has the lowest nonce and goes"
    if not event.is_ours_kept:
        which = "our new SA has the lowest nonce and goes"
    return f"both ends rekeyed {event.name} at once: {which}"


def _postponed(event: ike.RekeyPostponed) -> str:
    return f"the peer is busy: asking again at {format_duration(event.until)}"


def _child_failed(event: ike.ChildSaFailed) -> str:
    child = f"Child SA {event.child}" if event.child else "the Child SA"
    return f"{child} did not come up: {event.notify}"


def _unresponsive(event: ike.PeerUnresponsive) -> str:
    return f"gave the peer up: no answer to {_count(event.tries, 'try', 'tries')} of {event.exchange}"


# -- applications and the world -------------------------------------------------------------------


def _echo_reply(event: net.EchoReplyReceived) -> str:
    trip = format_duration(event.round_trip)
    return f"{event.name}: {unpack(event.source)} answered request {event.sequence} after {trip}"


def _datagram_sent(event: net.DatagramSent) -> str:
    return f"{event.name}: {event.size} B to {unpack(event.destination)} port {event.destination_port}"


def _count(number: int, word: str, words: str = "") -> str:
    return f"{number} {word if number == 1 else words or word + 's'}"


def _start_of(key: bytes) -> str:
    return f"{key[:4].hex()}..."


SENTENCES: dict[type[TraceEvent], Telling] = {
    trace.PacketDropped: (_dropped, lambda e: e.reason.clause),
    # the IP stack
    stack.PacketOriginated: (
        lambda e: f"made a packet: {summary(e.packet)}",
        lambda e: "RFC 8200 3" if _is_ipv6(e.packet) else "RFC 791 2.2",
    ),
    stack.PacketForwarded: (_forwarded, lambda e: "RFC 791 3.2" if e.version == 4 else "RFC 8200 3"),
    stack.PacketDelivered: (_delivered, ""),
    stack.EchoAnswered: (
        lambda e: f"answered ping {e.sequence} of {unpack(e.destination)}",
        lambda e: _icmp_clause(e.destination, "RFC 4443 4.2"),
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
            f"gave up packet {e.identification} and its {_count(e.pieces, 'fragment')}: others overlap them"
        ),
        "RFC 8200 4.5",
    ),
    stack.PathMtuLowered: (
        lambda e: f"packets to {unpack(e.destination)} have {e.mtu} B at most from now on",
        lambda e: "RFC 1191 3" if len(e.destination) == 4 else "RFC 8201 4",
    ),
    stack.PacketReassembled: (
        lambda e: (
            f"put packet {e.identification} together from {_count(e.pieces, 'fragment')}: {len(e.packet)} B"
        ),
        lambda e: "RFC 8200 4.5" if _is_ipv6(e.packet) else "RFC 791 3.2",
    ),
    # IPsec
    ipsec.PolicyMatched: (_policy_matched, lambda e: f"RFC 4301 5.{1 if e.direction == 'out' else 2}"),
    ipsec.PacketHeld: (_held, "RFC 4301 5.1"),
    ipsec.HoldEnded: (lambda e: f"{len(e.packet)} B wait no longer for an SA of {e.policy}", "RFC 4301 5.1"),
    ipsec.SaInstalled: (_installed, "RFC 4301 4.4.2"),
    ipsec.SaRemoved: (_removed, "RFC 7296 1.4.1"),
    ipsec.SaExpiring: (
        lambda e: (
            f"the {e.direction}bound SA {e.spi:08x} of {e.policy} is at its soft limit of {e.limit}: "
            "a replacement is due"
        ),
        "RFC 4301 4.4.2.1",
    ),
    ipsec.SaExpired: (
        lambda e: (
            f"the {e.direction}bound SA {e.spi:08x} of {e.policy} is at its hard limit of {e.limit}: it ends"
        ),
        "RFC 4301 4.4.2.1",
    ),
    ipsec.SaPathMtuLowered: (
        lambda e: (
            f"the path of SA {e.spi:08x} of {e.policy} takes {e.mtu} B: "
            f"packets of up to {e.inner} B fit into it from now on"
        ),
        "RFC 4301 8.2.1",
    ),
    ipsec.IcmpErrorBelieved: (
        lambda e: (
            f"{protocol_name(e.protocol)} type {e.type} code {e.code} came in clear for this node: "
            "the settings let it in"
        ),
        "RFC 4301 6.1.1",
    ),
    ipsec.PacketSealed: (_sealed, lambda e: "RFC 4302 3.3" if e.protocol == "AH" else "RFC 4303 3.3"),
    ipsec.PacketOpened: (_opened, lambda e: "RFC 4302 3.4" if e.protocol == "AH" else "RFC 4303 3.4"),
    ipsec.SequenceResynchronised: (_resynchronised, "RFC 4303 A3.2"),
    ipsec.ReplayRejected: (_replay_rejected, "RFC 4303 3.4.3"),
    # IKE
    ike.IkeMessageSent: (_message("sent"), _exchange_clause),
    ike.IkeMessageReceived: (_message("received"), _exchange_clause),
    ike.MessageRetransmitted: (
        lambda e: f"no answer to request {e.message_id}: sent the same bytes again, for the {e.times}. time",
        "RFC 7296 2.1",
    ),
    ike.ResponseRepeated: (
        lambda e: f"request {e.message_id} came again: sent the stored answer again",
        "RFC 7296 2.1",
    ),
    ike.CookieReturned: (
        lambda e: f"the responder wanted its cookie back ({len(e.cookie)} B): began again with it in front",
        "RFC 7296 2.6",
    ),
    ike.GroupChanged: (
        lambda e: f"the responder refused {e.refused} and wanted {e.wanted}: began again with that group",
        "RFC 7296 1.2",
    ),
    ike.IkeProposalChosen: (lambda e: f"both sides will use {e.suite} for the IKE SA", "RFC 7296 2.7"),
    ike.NatDetected: (_nat, "RFC 7296 2.23"),
    ike.IkeKeysDerived: (_ike_keys, "RFC 7296 2.14"),
    ike.PeerAuthenticated: (
        lambda e: f"{e.identity} proved who it is ({e.method}): its AUTH value is right",
        "RFC 7296 2.15",
    ),
    ike.ChainBelieved: (_chain_believed, "RFC 5280 6.1"),
    ike.WeakKeyTaken: (lambda e: f"took a weak proof: {e.what}", "RFC 8247 3.1"),
    ike.TrustEnded: (
        lambda e: f"ended the IKE SA of {e.connection}: what proved the peer's identity has expired",
        "RFC 4301 4.4.2.1",
    ),
    ike.PeerRefused: (
        lambda e: f"did not believe that the peer is {e.identity}: {e.why}",
        "RFC 7296 2.21.2",
    ),
    ike.NotifyReceived: (lambda e: f"the peer reported {e.notify} in {e.exchange}", "RFC 7296 2.21"),
    ike.StateChanged: (_state, ""),
    ike.SelectorsNarrowed: (_narrowed, "RFC 7296 2.9"),
    ike.ChildSaCreated: (_child_created, "RFC 7296 2.17"),
    ike.TransportModeDeclined: (_transport_declined, "RFC 7296 1.3.1"),
    ike.ChildSaFailed: (_child_failed, "RFC 7296 1.2"),
    ike.LivenessChecked: (
        lambda _: "nothing was heard for a while: asked with an empty INFORMATIONAL whether the peer lives",
        "RFC 7296 2.4",
    ),
    ike.PeerUnresponsive: (_unresponsive, "RFC 7296 2.4"),
    ike.CookieDemanded: (
        lambda e: f"{e.half_open} initiators have begun and not proved themselves: demands a cookie first",
        "RFC 7296 2.6",
    ),
    ike.ChildRekeyed: (_child_rekeyed, "RFC 7296 2.8"),
    ike.IkeRekeyed: (_ike_rekeyed, "RFC 7296 2.18"),
    ike.RekeyCollided: (_rekey_collided, "RFC 7296 2.8.1"),
    ike.RekeyPostponed: (_postponed, "RFC 7296 2.25"),
    ike.HalfOpenExpired: (lambda _: "the initiator never proved who it is: forgot it", "RFC 7296 2.4"),
    # the world
    net.TurnBegan: (lambda e: f"a turn began: {e.stimulus}", ""),
    net.FrameSent: (lambda e: f"put onto {e.link} by {e.interface}: {summary(e.packet)}", ""),
    net.FrameArrived: (lambda e: f"came off {e.link} at {e.interface}: {summary(e.packet)}", ""),
    net.FrameLost: (lambda e: f"{e.link} did not take frame {e.frame}", ""),
    net.EchoRequestSent: (
        lambda e: f"{e.name}: sent request {e.sequence} to {unpack(e.destination)}",
        lambda e: _icmp_clause(e.destination, "RFC 4443 4.1"),
    ),
    net.EchoReplyReceived: (_echo_reply, lambda e: _icmp_clause(e.source, "RFC 4443 4.2")),
    net.EchoReplyMissed: (lambda e: f"{e.name}: request {e.sequence} was never answered", ""),
    net.DatagramSent: (_datagram_sent, "RFC 768"),
    net.DatagramReceived: (
        lambda e: f"got {e.size} B from {unpack(e.source)} on port {e.destination_port}",
        "RFC 768",
    ),
    net.NoteTaken: (lambda e: f"note: {e.words}", ""),
}
"""The one table: what to say about an event, and its clause."""
