"""The order of operations: each check on a packet's way through a node, and what it saw in this turn.

The order is that of `stack/engine` with its hooks, `ipsec/inbound` and `ike/v2/sa`. A check that comes after the
one that ended the packet was not reached.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ipsecsim.base.address import unpack
from ipsecsim.ike import events as ike
from ipsecsim.ike.fragment_events import IkeFragmentsJoined, IkeFragmentStored
from ipsecsim.ipsec import events as ipsec
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.packets.packet_summary import ah_of, esp_of
from ipsecsim.observe.telling.explain import explain
from ipsecsim.observe.turn_story import naming
from ipsecsim.observe.turn_story.drops import CHECK
from ipsecsim.observe.turn_story.facts import Facts, Place
from ipsecsim.observe.turn_story.story import Hook
from ipsecsim.stack import events as stack
from ipsecsim.stack.nat.events import MappingMade, PacketTranslated

Seen = Callable[[Facts], str | None]
"""What a check saw; None when there was nothing for it to do."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A check. `check` is the word by which drop reasons know it, `name` what people read.

    `needs` says on which nodes it stands, `idle` why there was nothing to do. One that is `quiet` is told of only
    when it has something to say.
    """

    check: str
    name: str
    seen: Seen = lambda _f: ""
    needs: Callable[[Place], bool] = lambda _place: True
    quiet: bool = False
    idle: str = ""


def _has_nat(place: Place) -> bool:
    return place.has_nat


def _has_firewall(place: Place) -> bool:
    return place.has_firewall


def _has_ipsec(place: Place) -> bool:
    return place.has_ipsec


# -- what each check saw --------------------------------------------------------------------------


def _received(f: Facts) -> str | None:
    return None if f.arrived is None else f"on {f.arrived.link}, {len(f.arrived.packet)} B"


def _translated(where: str) -> Seen:
    def seen(f: Facts) -> str | None:
        changes = [each for each in f.all(PacketTranslated) if each.where == where]
        if not changes:
            return None
        new = ", a new mapping" if where == "source" and f.has(MappingMade) else ""
        return f"{where} {_end(changes[0].before)} > {_end(changes[0].after)}{new}"

    return seen


def _end(end: tuple[bytes, int]) -> str:
    return f"{unpack(end[0])}:{end[1]}" if end[1] else unpack(end[0])


def _reassembled(f: Facts) -> str | None:
    stored, whole = f.first(stack.FragmentStored), f.first(stack.PacketReassembled)
    if whole is not None:
        return f"{whole.pieces} fragments are here: {len(whole.packet)} B"
    return None if stored is None else f"kept the fragment at {stored.offset}"


def _filtered(f: Facts) -> str | None:
    if f.has(stack.ConnectionOpened):
        return "let through, and a new connection is known"
    return "let through"


def _policy(direction: str) -> Seen:
    def seen(f: Facts) -> str | None:
        rules = [each for each in f.all(ipsec.PolicyMatched) if each.direction == direction]
        return f"rule {rules[0].policy}: {rules[0].verdict.upper()}" if rules else None

    return seen


def _policy_out(f: Facts) -> str | None:
    if f.has(ipsec.HoldEnded) and f.has(ipsec.PacketSealed):
        return "asked before: the packet has waited"
    return _policy("out")(f)


def _policy_in(f: Facts) -> str | None:
    if naming.layer(f.packet) in ("esp", "ah"):
        return "its SA will judge it"
    return _policy("in")(f)


def _association(f: Facts) -> str | None:
    opened = f.first(ipsec.PacketOpened)
    if opened is not None:
        return f"SPI {opened.spi:08x} found"
    numbers = _numbers(f)
    return None if numbers is None else f"SPI {numbers[0]:08x} found"


def _numbers(f: Facts) -> tuple[int, int] | None:
    return esp_of(f.packet) or ah_of(f.packet)


def _window(f: Facts) -> str | None:
    opened = f.first(ipsec.PacketOpened)
    if opened is None:
        numbers = _numbers(f)
        return None if numbers is None else f"{numbers[1]} is new"
    return None if opened.window_top is None else f"{opened.sequence} is new"


def _icv(f: Facts) -> str | None:
    opened = f.first(ipsec.PacketOpened)
    return None if opened is not None and not opened.is_authenticated else "the seal holds"


def _window_moved(f: Facts) -> str | None:
    opened = f.first(ipsec.PacketOpened)
    if opened is None:
        return "where there is one"
    return None if opened.window_top is None else f"top is {opened.window_top}"


def _inside(f: Facts) -> str | None:
    opened = f.first(ipsec.PacketOpened)
    return None if opened is None else f"{naming.name(opened.inner)} fits those of {opened.policy}"


def _message(f: Facts) -> str:
    return f.noun.removeprefix("the ")


def _ike_association(f: Facts) -> str | None:
    if f.got_request("IKE_SA_INIT"):
        return "a new one"
    return "SPIs known"


def _message_id(f: Facts) -> str | None:
    got = f.got
    if f.has(ike.ResponseRepeated):
        return "came before: the stored answer goes again"
    return None if got is None else f"message ID {got.message_id} is next"


def _ike_seal(f: Facts) -> str | None:
    stored, joined = f.first(IkeFragmentStored), f.first(IkeFragmentsJoined)
    if joined is not None:
        return f"the seals of {joined.total} fragments hold"
    if stored is not None:
        return f"that of fragment {stored.number} of {stored.total} holds"
    return "the seal holds" if f.got is not None and f.got.sealed else None


def _payloads(f: Facts) -> str | None:
    return None if f.got is None else ", ".join(f.got.payloads) or "none"


_DECISIONS = (
    ike.PeerRefused,
    ike.PeerAuthenticated,
    ike.NotifyReceived,
    ike.ChildSaFailed,
    ike.ChildRekeyed,
    ike.IkeRekeyed,
    ike.ChildSaCreated,
    ike.NatDetected,
    ike.IkeProposalChosen,
    ike.StateChanged,
)


def _decided(f: Facts) -> str | None:
    for kind in _DECISIONS:
        event = f.first(kind)
        if event is not None:
            return explain(event)
    return "" if f.got is not None else None


def _delivered(f: Facts) -> str | None:
    taken = [each for each in f.all(stack.PacketDelivered) if each.to != "ike"]
    if taken:
        return f.inner_noun
    return None


def _ttl(f: Facts) -> str | None:
    forwarded = f.first(stack.PacketForwarded)
    return None if forwarded is None else f"{forwarded.ttl + 1} > {forwarded.ttl}"


def _routed(f: Facts) -> str | None:
    forwarded = f.first(stack.PacketForwarded)
    if forwarded is not None:
        return f"to {f.owner_of(forwarded.next_hop)} by {forwarded.outbound}"
    return f"to {f.next_node} by {f.sent[0].interface}" if f.sent else None


def _chosen(f: Facts) -> str | None:
    held, sealed = f.first(ipsec.PacketHeld), f.first(ipsec.PacketSealed)
    if held is not None:
        return "none yet: the packet waits"
    return None if sealed is None else f"SPI {sealed.spi:08x}"


def _cut(f: Facts) -> str | None:
    cut = f.first(stack.PacketFragmented)
    return None if cut is None else f"cut into {cut.pieces}, of at most {cut.mtu} B"


def _sealed(f: Facts) -> str | None:
    sealed = f.first(ipsec.PacketSealed)
    if sealed is None:
        return None
    return f"{sealed.protocol}, sequence {sealed.sequence}: {len(sealed.inner)} B > {sealed.length} B"


def _sent(f: Facts) -> str | None:
    links = dict.fromkeys(each.link for each in f.sent)
    return (
        f"on {', '.join(links)}, {' + '.join(str(len(each.packet)) for each in f.sent[:4])} B"
        if links
        else None
    )


def _made(f: Facts) -> str | None:
    return f.noun if f.has(stack.PacketOriginated, FrameSent) else None


# -- the order ------------------------------------------------------------------------------------

_LINK = Stop("the link", "the link", quiet=True)
ARRIVE = (
    _LINK,
    Stop("receive", "receive", _received),
    Stop("core", "core", quiet=True),
    Stop("IP header", "IP header", quiet=True),
    Stop(
        "NAT",
        "NAT, before routing",
        _translated("destination"),
        _has_nat,
        idle="not for a mapping: passed on",
    ),
    Stop("reassembly", "reassembly", _reassembled, quiet=True),
    Stop("destination", "destination", quiet=True),
)
HERE = (
    Stop("filter", "filter: input", _filtered, _has_firewall),
    Stop("SPD", "SPD in", _policy_in, _has_ipsec, idle="not from beyond the boundary"),
)
CARRIED = (  # what IP carries; in transport mode what ESP carried, once more
    Stop("UDP", "UDP", quiet=True),
    Stop("ICMP", "ICMP", quiet=True),
)
OPEN = (
    Stop("SAD", "SAD", _association),
    Stop("replay window", "replay window", _window, idle="nobody looks for replays"),
    Stop("verify ICV", "verify ICV", _icv, idle="there is no seal"),
    Stop("", "move the window", _window_moved, idle="there is none"),
    Stop("contents", "contents", quiet=True),
    Stop("selectors", "selectors", _inside),
)
DOOR = (
    Stop("IKE header", "IKE header", _message),
    Stop("IKE SA", "IKE SA", _ike_association),
    Stop("message ID", "message ID", _message_id),
    Stop("seal of the message", "seal of the message", _ike_seal, idle="in clear: no keys yet"),
    Stop("payloads", "payloads", _payloads),
    Stop("exchange", "exchange", _decided),
)
TAKE = (Stop("deliver", "deliver", _delivered),)
THROUGH = (
    Stop("time to live", "time to live", _ttl),
    Stop("route", "route", _routed),
    Stop("filter", "filter: forward", _filtered, _has_firewall),
    Stop("SPD", "SPD in", _policy("in"), _has_ipsec, quiet=True),
)
MAKE = (
    Stop("", "make", _made),
    Stop("route", "route", _routed),
    Stop("filter", "filter: output", _filtered, _has_firewall),
)
LEAVE = (
    Stop("NAT", "NAT, after routing", _translated("source"), _has_nat, idle="not for the outside: as it is"),
    Stop("SPD", "SPD out", _policy_out, _has_ipsec, idle="not across the boundary"),
    Stop("SA", "SA", _chosen, _has_ipsec, quiet=True),
    Stop("length", "length", _cut, quiet=True),
    Stop("", "seal", _sealed, quiet=True),
    Stop("send", "send", _sent),
    _LINK,
)
STOPS = (*ARRIVE, *HERE, *CARRIED, *OPEN, *DOOR, *TAKE, *THROUGH, *MAKE, *LEAVE)
"""Every check there is."""

_INBOUND = {stop.check for stop in OPEN} - {""}
_ON_ARRIVAL = {stop.check for stop in ARRIVE} - {"NAT", "reassembly", "the link"}


def hooks(f: Facts) -> tuple[Hook, ...]:
    """All checks of this turn, in order."""
    failed = CHECK[f.drops[0].reason] if f.drops else ""
    detail = (f.drops[0].detail or f.drops[0].reason.sentence) if f.drops else ""
    way = [stop for stop in _way(f, failed) if stop.needs(f.place) or stop.check == failed]
    if not way and not f.drops:
        return ()
    if failed and all(stop.check != failed for stop in way):
        way.append(Stop(failed, failed))
    at = _where_it_failed(f, way, failed)
    return tuple(_walked(f, way, at, detail))


def _walked(f: Facts, way: list[Stop], failed_at: int, detail: str) -> Iterator[Hook]:
    answers = f.sent and f.arrived is not None and f.has(ike.IkeMessageSent)
    for number, stop in enumerate(way):
        if number == failed_at:
            yield Hook(stop.name, "fail", detail)
        elif failed_at >= 0 and number > failed_at and not (answers and stop in LEAVE):
            if not stop.quiet:
                yield Hook(stop.name, "unreached")
        else:
            seen = stop.seen(f)
            if seen is None:
                if not stop.quiet:
                    yield Hook(stop.name, "skip", stop.idle)
            elif seen or not stop.quiet:
                yield Hook(stop.name, "pass", seen)
    told = f.first(stack.IcmpErrorSent)
    if told is not None and f.sent:
        yield Hook("tell the sender", "pass", explain(told))


def _way(f: Facts, failed: str) -> tuple[Stop, ...]:
    """The checks that the packets of this turn meet."""
    leaves = LEAVE if f.sent or failed in ("SA", "SPD", "length") else ()
    if f.arrived is None:
        is_made = f.sent or f.has(stack.PacketOriginated) or (f.drops and not f.has(ipsec.HoldEnded))
        if failed == "reassembly":
            return ()
        return (*MAKE, *LEAVE) if is_made else ()
    is_in_ike = f.drops and f.drops[0].reason.layer == "ike"
    if is_in_ike or f.got is not None or any(each.to == "ike" for each in f.all(stack.PacketDelivered)):
        return (*ARRIVE, *HERE, *CARRIED, *DOOR, *leaves)
    if f.has(ipsec.PacketOpened) or (failed in _INBOUND and not f.is_forwarded):
        onward = f.is_forwarded or failed in ("time to live", "route", "length", "the link")
        taken = (*CARRIED, *TAKE, *leaves)
        return (*ARRIVE, *HERE, *CARRIED, *OPEN, *((*THROUGH, *LEAVE) if onward else taken))
    if f.is_forwarded:
        return (*ARRIVE, *THROUGH, *LEAVE)
    if f.has(stack.PacketDelivered) or (f.is_for_us and failed not in _ON_ARRIVAL):
        return (*ARRIVE, *HERE, *CARRIED, *TAKE, *leaves)
    if f.has(stack.FragmentStored) or failed == "NAT":
        return ARRIVE
    if failed in ("receive", "core"):
        return ARRIVE[:3]
    if failed in ("UDP", "ICMP", "deliver"):
        return (*ARRIVE, *HERE, *CARRIED, *TAKE)
    return (*ARRIVE, *THROUGH, *LEAVE)


def _where_it_failed(f: Facts, way: list[Stop], failed: str) -> int:
    """The check that ended the packet; one that stands twice is meant where the packet was by then."""
    places = [number for number, stop in enumerate(way) if failed and stop.check == failed]
    if not places:
        return -1
    is_far = f.is_forwarded or f.has(ipsec.PacketOpened) or f.is_lost_on_a_link or f.arrived is None
    return places[-1] if is_far else places[0]
