"""Turns that the IPsec data plane decides: what is sealed, opened, held, let by, and SAs without IKE."""

from typing import Any

from ipsecsim.ipsec import events as ipsec
from ipsecsim.net.events import EchoReplyReceived
from ipsecsim.observe.turn_story import naming
from ipsecsim.observe.turn_story.facts import Facts
from ipsecsim.observe.turn_story.row import Row
from ipsecsim.stack.events import EchoAnswered, PacketForwarded, PacketFragmented, PacketReassembled


def _sealed(e: ipsec.PacketSealed, f: Facts) -> str:
    what = f.inner_noun
    if e.protocol == "AH":
        return f"{f.node} seals {what} with AH, as packet {e.sequence}."
    udp = ", in UDP for the NAT" if e.in_udp else ""
    return f"{f.node} seals {what} as ESP packet {e.sequence}{udp}."


def _sealed_why(e: ipsec.PacketSealed, f: Facts) -> str:
    if e.protocol == "AH":
        return (
            "AH encrypts nothing. Its seal covers what is inside and the outer addresses too, "
            "so nobody on the way may change them."
        )
    if f.has(PacketFragmented):
        return "It was too long for the path in one piece, so it is cut before it is sealed or after."
    if e.mode == "transport":
        return (
            f"Its own IP header stays outside and readable; only what it carries is for {f.receiver} alone."
        )
    return f"On the way to {f.receiver} only the new outer header, SPI and sequence number can be read."


def _opens(e: ipsec.PacketOpened) -> str:
    if not e.is_authenticated:
        return "opens the packet unchecked"
    return f"checks the seal, {'opens the packet' if e.protocol == 'ESP' else 'takes AH off'}"


def _opened_on(e: ipsec.PacketOpened, f: Facts) -> str:
    again = "joins the fragments, " if f.has(PacketReassembled) else ""
    return f"{f.node} {again}{_opens(e)}, and sends {naming.noun(e.inner)} on to {f.next_node}."


def _opened_why(e: ipsec.PacketOpened, _f: Facts) -> str:
    if not e.is_authenticated:
        return (
            "Encryption alone proves nothing: whoever can change bits on the way can change them unnoticed."
        )
    if e.window_top is None:
        return "Nobody looks for replays here: a copy of this packet would be taken once more."
    return (
        f"The replay window moves only once the seal has held, to {e.window_top}; "
        "a forged number cannot push true packets out of it."
    )


def _opened_here(e: ipsec.PacketOpened, f: Facts) -> str:
    return f"{f.node} {_opens(e)}, and takes {naming.noun(e.inner)}, which is for itself."


def _is_clear(e: ipsec.PolicyMatched, f: Facts) -> bool:
    return e.verdict.lower() == "bypass" and f.arrived is not None and not f.is_ike


IPSEC: tuple[Row, ...] = (
    Row(
        ipsec.PacketOpened,
        "opens, seals",
        "{f.node} opens {f.noun} and seals {f.opened_noun} anew, for {f.receiver}.",
        "The two tunnels have different keys, so in between the packet is in clear inside this node.",
        lambda e, f: f.has(ipsec.PacketSealed) and f.is_forwarded,
    ),
    Row(
        ipsec.PacketOpened,
        "answers",
        lambda e, f: f"{f.node} {_opens(e)}, and seals its answer for {f.receiver}.",
        "The answer goes by another SA: each has one direction, a key and a counter of its own.",
        lambda e, f: f.has(ipsec.PacketSealed),
    ),
    Row(ipsec.PacketOpened, "opens", _opened_on, _opened_why, lambda e, f: f.is_forwarded and bool(f.sent)),
    Row(
        ipsec.PacketOpened,
        "opens",
        lambda e, f: f"{f.node} {_opens(e)}, and has the answer to ping {_sequence(f)}.",
        _opened_why,
        lambda e, f: f.has(EchoReplyReceived),
    ),
    Row(ipsec.PacketOpened, "opens", _opened_here, _opened_why),
    Row(
        ipsec.PacketSealed,
        "answers",
        "{f.node} answers {f.noun}, and seals the answer for {f.receiver}.",
        "What it answers came in clear, or out of an SA; policy decides about the answer by itself.",
        lambda e, f: f.has(EchoAnswered),
    ),
    Row(ipsec.PacketSealed, "seals", _sealed, _sealed_why),
    Row(
        ipsec.PacketHeld,
        "holds",
        "{f.node} holds {f.noun} back: rule {e.policy} demands protection, and there is no SA yet.",
        "IKE is at work already. If no SA comes of it in time, the packet is dropped.",
    ),
    Row(
        ipsec.SaInstalled,
        "installs",
        "{f.node} installs SAs whose keys somebody has typed in.",
        "Without IKE nobody renews such keys, and both ends must be given the same numbers by hand.",
        lambda e, f: f.stimulus == "start" and f.arrived is None,
    ),
    Row(
        ipsec.PolicyMatched,
        "forwards",
        "{f.node} sends {f.noun} out in clear: rule {e.policy} says BYPASS.",
        "Anybody on the way can read and change it. That is what the policy asks for.",
        lambda e, f: _is_clear(e, f) and e.direction == "out" and f.is_forwarded,
    ),
    Row(
        ipsec.PolicyMatched,
        "forwards",
        "{f.node} lets {f.noun} in, which came in clear: rule {e.policy} says BYPASS.",
        "Had the rule said PROTECT, a packet in clear would have been dropped here.",
        lambda e, f: _is_clear(e, f) and e.direction == "in" and f.has(PacketForwarded),
    ),
    Row(
        ipsec.SaConflictFound,
        "learns",
        "{f.node} finds that two peers have SAs for the same traffic.",
        "By the packet alone it cannot tell which of them is meant.",
    ),
)
"""The rows, in order."""


def _sequence(f: Facts) -> Any:
    reply = f.first(EchoReplyReceived)
    return "" if reply is None else reply.sequence
