"""The check that each drop reason belongs to, and what the recording tells about a drop."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ike.events import Diagnosed, IkeMessageSent, NotifyReceived
from ipsecsim.ipsec.events import HoldEnded
from ipsecsim.observe.life import Life
from ipsecsim.observe.turn_story import naming
from ipsecsim.observe.turn_story.facts import Facts
from ipsecsim.observe.turn_story.story import Culprit, DropStory
from ipsecsim.stack.events import IcmpErrorSent
from ipsecsim.wire import ip

_CHECKS: dict[str, str] = {
    "the link": "LINK_DOWN LINK_LOSS QUEUE_FULL NO_NEIGHBOUR ADVERSARY_DROP",
    "receive": "NODE_DOWN",
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

_WHY: dict[DropReason, str] = {
    DropReason.REPLAY_SEEN: "Its seal may be good: a copy has the same one. Only the number gives it away.",
    DropReason.REPLAY_OLD: "It may be new all the same: the window is too small to remember, so it is not let in.",
    DropReason.ICV_FAIL: "A bit was changed, or the keys differ: the check cannot tell which. Nothing is opened.",
    DropReason.AH_ICV_FAIL: "AH seals the outer addresses too, so whoever changes one of them breaks the seal.",
    DropReason.NO_SA: "Nobody here has keys for it: they were never made, or are forgotten already.",
    DropReason.NO_SA_YET: "Nothing is sent in clear instead: policy says PROTECT, and that holds.",
    DropReason.SA_SELECTOR_MISMATCH: "A good seal is not enough: the peer may send only what was agreed upon.",
    DropReason.SPD_NO_MATCH: "What no rule speaks of is not let through: policy has to say so for each packet.",
    DropReason.SPD_DISCARD: "Somebody wrote that rule; the first one that matches decides.",
    DropReason.INBOUND_CLEAR_PROTECTED: "Anybody could have made it: if it came in, protection were worth nothing.",
    DropReason.NAT_NO_MAPPING: "A NAT lets nobody in whom nobody inside has spoken to, unless a port is forwarded.",
    DropReason.NAT_MAPPING_EXPIRED: "Nothing was sent for too long; a keepalive would have kept the mapping.",
    DropReason.NAT_PROTO: "A protocol without ports gives a NAT nothing by which to tell hosts apart.",
    DropReason.FW_RULE: "Whoever sent it hears nothing, so it looks like a lost packet.",
    DropReason.FW_STATE: "It had forgotten the connection, so the packet looks like an answer to nothing.",
    DropReason.IP_DF_TOO_BIG: "It must not be cut. The sender is told how large it may be, if that gets through.",
    DropReason.IP_TTL: "Each router takes one away, so that a packet cannot circle for ever.",
    DropReason.LINK_LOSS: "Nobody is told. Whoever needs an answer has to notice that none comes.",
    DropReason.QUEUE_FULL: "More came than the link can carry; nobody is told.",
    DropReason.LINK_DOWN: "Nobody is told. Whoever needs an answer has to notice that none comes.",
    DropReason.NO_NEIGHBOUR: "The route says that it is on this link, and nobody there has that address.",
    DropReason.NODE_DOWN: "A node that is off says nothing, so the peer cannot tell it from a broken path.",
    DropReason.KEEPALIVE: "It has done its work on the way: the NAT has seen it and remembers the mapping.",
    DropReason.DUMMY: "It carries nothing, and makes an onlooker believe that there is traffic.",
    DropReason.FRAG_TIMEOUT: "One fragment that is lost or filtered is enough to lose the whole packet.",
    DropReason.NO_STATE: "It may belong to an IKE SA that has ended; nothing can be opened without its keys.",
    DropReason.UNEXPECTED_RESPONSE: "It has had that answer already, so this is a copy or comes too late.",
    DropReason.AUTH_FAILED: "The peer is told AUTHENTICATION_FAILED and no more, so that strangers learn little.",
    DropReason.NO_PROPOSAL: "One end offers what the other does not take; neither may pick something else.",
    DropReason.TS_UNACCEPTABLE: "An SA carries only traffic that both ends want to protect.",
    DropReason.COOKIE_REQUIRED: "Nothing is kept for it until it shows that it receives at its address.",
    DropReason.UDP_CHECKSUM: "A bit went wrong on the way; whoever sent it will not hear of that.",
    DropReason.IP_NO_ROUTE: "Without a route nobody knows by which link it should go.",
    DropReason.ADVERSARY_DROP: "No cipher helps against that: who stands on the path can always keep packets back.",
}
"""Why that is so, or what else would be, for reasons that the library's runs meet; `why` tells of all others."""


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
    return f"{f.node} drops {what}: {drop.reason.sentence}."


def deeper(f: Facts, drop: PacketDropped, culprit: Culprit | None) -> str:
    """Why, or what if not."""
    if culprit is not None:
        change = f"It was {culprit.was} when it was sealed, and {culprit.now} since turn {culprit.turn}."
        return f"{change} {_WHY.get(drop.reason, '')}".strip()
    reported = f.first(NotifyReceived)
    if reported is not None and f.has(HoldEnded):
        return f"{f.peer} reported {reported.notify}, so no SA comes. {_WHY[DropReason.NO_SA_YET]}"
    known = f.first(Diagnosed)
    if known is not None:
        return f"{f.node} knows more: {known.diagnosis.sentence}. {_WHY.get(drop.reason, '')}".strip()
    return _WHY.get(drop.reason) or _generally(drop)


def _generally(drop: PacketDropped) -> str:
    return f"The check that ended it is '{CHECK[drop.reason]}'; what comes after it was not asked any more."


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
