"""Turns of a NAT: what it rewrites, remembers and forgets."""

from ipsecsim.base.address import unpack
from ipsecsim.observe.turn_story import naming
from ipsecsim.observe.turn_story.facts import Facts
from ipsecsim.observe.turn_story.row import Row
from ipsecsim.stack.nat import events as nat


def _rewritten(e: nat.PacketTranslated, f: Facts) -> str:
    if e.where == "destination":
        return f"{f.node} knows the mapping, and puts {_end(e.after)} back as the destination."
    (_, was_port), (now, port) = e.before, e.after
    if was_port == port:
        kept = f" and keeps port {port}" if port else ""
        return f"{f.node} changes the source address to {unpack(now)}{kept}."
    return (
        f"{f.node} changes the source address to {unpack(now)} and the source port from {was_port} to {port}."
    )


def _rewritten_why(e: nat.PacketTranslated, f: Facts) -> str:
    layer = naming.layer(f.packet)
    if layer == "ah":
        return "AH has sealed that address: the receiver will find the seal broken."
    if e.where == "destination":
        return f"Without the mapping of {_end(e.before)} the packet would end here."
    first = f.first(nat.MappingMade)
    known = (
        f"It adds a mapping to its table, so that answers to {_end(e.after)} find their way back"
        if first is not None
        else "The mapping exists already, so the same outside end is used"
    )
    if layer == "esp":
        return f"{known}. ESP does not seal the outer header, so the seal stays good."
    if layer == "ike" and f.noun == "the IKE_SA_INIT request":
        return f"{known}. The hash in NAT_DETECTION_SOURCE_IP still speaks of the old address."
    return f"{known}."


def _end(end: tuple[bytes, int]) -> str:
    return f"{unpack(end[0])}:{end[1]}" if end[1] else unpack(end[0])


NAT: tuple[Row, ...] = (
    Row(
        nat.PacketTranslated,
        "rewrites",
        "{f.node} turns {f.noun} round: both ends of it are inside.",
        "Source and destination are rewritten, so that the answer comes through here as well.",
        lambda e, f: len({each.where for each in f.all(nat.PacketTranslated)}) > 1,
    ),
    Row(nat.PacketTranslated, "rewrites", _rewritten, _rewritten_why),
    Row(
        nat.MappingEnded,
        "forgets",
        lambda e, f: f"{f.node} forgets a mapping: {e.why}.",
        lambda e, f: (
            f"Who sends to {_end(e.outside)} from now on finds nobody, until the inside speaks again."
        ),
    ),
)
"""The rows, in order."""
