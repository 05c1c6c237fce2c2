"""The check that each drop reason belongs to, and what the recording tells about a drop."""

from ipsecsim.base.address import unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ike.events import Diagnosed, IkeMessageSent, NotifyReceived
from ipsecsim.ipsec.events import HoldEnded
from ipsecsim.observe.lives.life import Life
from ipsecsim.observe.turn_story import naming
from ipsecsim.observe.turn_story.drop_words import WHY, WHY_NO_GROUP
from ipsecsim.observe.turn_story.facts import Facts
from ipsecsim.observe.turn_story.story import Culprit, DropStory
from ipsecsim.stack.events import IcmpErrorSent
from ipsecsim.wire import ip

_CHECKS: dict[str, str] = {
    "the link": "LINK_DOWN LINK_LOSS QUEUE_FULL NO_NEIGHBOUR ADVERSARY_DROP",
    "receive": "NODE_DOWN",
    "core": "CORE_BUSY",
    "IP header": "IP_MALFORMED",
    "NAT": "NAT_NO_MAPPING NAT_MAPPING_EXPIRED NAT_FILTERED NAT_PORTS_EXHAUSTED NAT_PROTO",
    "filter": "FW_RULE FW_STATE",
    "reassembly": "FRAG_TIMEOUT FRAG_OVERLAP FRAG_TABLE_FULL",
    "destination": "IP_NOT_LOCAL",
    "time to live": "IP_TTL",
    "route": "IP_NO_ROUTE",
    "length": "IP_DF_TOO_BIG TOO_BIG",
    "ICMP": "ICMP_RATE ICMP_POLICY ICMP_CHECKSUM",
    "UDP": "UDP_CHECKSUM UDP_SHORT",
    "deliver": "PORT_CLOSED KEEPALIVE NOT_A_PEER ENCAP_LOOP",
    "SPD": "SPD_DISCARD SPD_NO_MATCH INBOUND_CLEAR_PROTECTED",
    "SA": "NO_SA_YET SA_EXPIRED SEQ_EXHAUSTED FRAG_NO_PORTS",
    "SAD": "NO_SA ESP_FRAGMENT AH_FRAGMENT",
    "replay window": "SEQ_ZERO REPLAY_OLD REPLAY_SEEN",
    "verify ICV": "ESP_SHORT ESP_ALIGN ICV_FAIL AH_SHORT AH_BAD_LEN AH_ICV_FAIL",
    "contents": "ESP_BAD_PAD INNER_MALFORMED ECN_ILLEGAL DUMMY MODE_MISMATCH",
    "selectors": "SA_SELECTOR_MISMATCH ICMP_PAYLOAD_MISMATCH",
    "IKE header": "SHORT LEN_MISMATCH BAD_VERSION BAD_SPI",
    "IKE SA": "NO_STATE COOKIE_REQUIRED COOKIE_WRONG HALF_OPEN_LIMIT IKE_SA_LIMIT",
    "message ID": "UNEXPECTED_RESPONSE OUT_OF_WINDOW RETRANSMIT_IGNORED",
    "seal of the message": "SK_FAIL FRAG_MALFORMED FRAG_BAD_LEN FRAG_LIMIT FRAG_DUP",
    "payloads": "PAYLOAD_LEN TOO_MANY_PAYLOADS CRITICAL_UNKNOWN INVALID_SYNTAX STATE_VIOLATION",
    "exchange": (
        "KE_INVALID INVALID_KE NO_PROPOSAL TS_UNACCEPTABLE INTERNAL_ADDRESS_FAILURE FAILED_CP_REQUIRED "
        "UNEXPECTED_NAT AUTH_FAILED ID_MALFORMED ID_TOO_LONG CERT_MALFORMED CERT_BAD_KEY CERT_CONSTRAINT SIG_PARAMS"
    ),
}

CHECK: dict[DropReason, str] = {
    DropReason[name]: check for check, names in _CHECKS.items() for name in names.split()
}
"""For each drop reason the one check that raises it."""


def said(f: Facts, drop: PacketDropped, culprit: Culprit | None) -> str:
    """Who drops what, and the reason."""
    what = _what(f, drop)
    if _is_on_a_link(f, drop):
        link = next((each.link for each in f.sent if each.packet == drop.packet), f.sent[-1].link)
        return f"The link {link} drops {what}: {drop.reason.sentence}."
    if culprit is not None:
        seal = "AH" if drop.reason is DropReason.AH_ICV_FAIL else "the seal"
        covers = "had sealed" if seal == "AH" else "covers"
        return f"{f.node} drops {what}: {seal} {covers} the {culprit.field}, and {culprit.by} changed it."
    if _is_for_a_group(drop):
        source, group = (unpack(each) for each in ip.addresses(drop.packet))
        return f"{f.node} drops {what}: no rule is for what {source} says to {group}, a multicast group."
    return f"{f.node} drops {what}: {drop.reason.sentence}."


def deeper(f: Facts, drop: PacketDropped, culprit: Culprit | None) -> str:
    """Why, or what if not."""
    if culprit is not None:
        change = f"It was {culprit.was} when it was sealed, and {culprit.now} since turn {culprit.turn}."
        return f"{change} {WHY[drop.reason]}"
    reported = f.first(NotifyReceived)
    if reported is not None and f.has(HoldEnded):
        return f"{f.peer} reported {reported.notify}, so no SA comes. {WHY[DropReason.NO_SA_YET]}"
    known = f.first(Diagnosed)
    if known is not None:
        return f"{f.node} knows more: {known.diagnosis.sentence}. {WHY[drop.reason]}"
    return WHY_NO_GROUP if _is_for_a_group(drop) else WHY[drop.reason]


def story(f: Facts, drop: PacketDropped, culprit: Culprit | None) -> DropStory:
    """All that the recording tells of a drop."""
    life = _life(f, drop)
    told = _told(f)
    if _is_on_a_link(f, drop):
        knows = "nobody: a link counts, and tells no one"
    else:
        knows = f"{f.node}: it counts {drop.reason.name}" + (f"; {told}" if told else "")
    if drop.detail:
        knows += f" ({drop.detail})"
    return DropStory(
        drop.reason.name,
        CHECK[drop.reason],
        drop.reason.clause,
        knows,
        "" if told else _blind(f, drop, life),
        _look(f, drop, life, culprit),
        culprit=culprit,
    )


def _what(f: Facts, drop: PacketDropped) -> str:
    if drop.reason.layer == "ike" and f.arrived is not None:
        return f.noun
    noun = naming.noun(drop.packet)
    return f.noun if noun == "what is no IP packet" and f.arrived is not None else noun


def _life(f: Facts, drop: PacketDropped) -> Life | None:
    row = next(each for each in f.rows if each.event is drop)
    number = f.lives.about[row.sequence]
    return f.lives[number] if number else f.came


def _told(f: Facts) -> str:
    """Who else hears of it, and how."""
    icmp = f.first(IcmpErrorSent)
    if icmp is not None and any(ip.destination(each.packet) == icmp.destination for each in f.sent):
        return f"{f.name_of(icmp.destination)} is told by ICMP, if that gets through"
    notify = next(
        (each for each in f.all(IkeMessageSent) if any(p.startswith("N(") for p in each.payloads)), None
    )
    if notify is not None and f.arrived is not None and f.drops[0].reason.layer == "ike":
        return f"{f.peer} is told by {notify.payloads[0]}"
    return ""


def _is_for_a_group(drop: PacketDropped) -> bool:
    """A multicast packet of which policy does not speak."""
    return drop.reason is DropReason.SPD_NO_MATCH and ip.is_multicast(ip.destination(drop.packet))


def _is_on_a_link(f: Facts, drop: PacketDropped) -> bool:
    return drop.reason.layer in ("link", "adversary") and f.is_lost_on_a_link


def _blind(f: Facts, drop: PacketDropped, life: Life | None) -> str:
    if life is None:
        return ""
    nodes = dict.fromkeys([life.node, *(hop.source for hop in life.hops)])
    *others, last = [each for each in nodes if each != f.node or _is_on_a_link(f, drop)] or [""]
    if not others:
        return f"{last}: nobody tells it" if last else ""
    return f"{', '.join(others)} and {last}: nobody tells them"


def _look(f: Facts, drop: PacketDropped, life: Life | None, culprit: Culprit | None) -> str:
    if culprit is not None:
        return f"turn {culprit.turn}, where {culprit.by} changed the {culprit.field}"
    if drop.reason is DropReason.REPLAY_SEEN and life is not None and life.copy_of is not None:
        original = f.lives[life.copy_of]
        if original.ended is not None and original.ended < f.number:
            return f"turn {original.ended}, in which {f.node} took the original"
    if life is not None and life.born != f.number:
        return f"turn {life.born}, in which {life.node} made it"
    return ""
