"""Turns of a first handshake: offers, keys, proofs, refusals, and messages that are lost."""

from typing import Any

from ipsecsim.ike import events as ike
from ipsecsim.ike import fragment_events as fragment
from ipsecsim.ipsec.events import (
    HoldEnded,
    PacketHeld,
    PacketSealed,
)
from ipsecsim.observe.turn_story import naming
from ipsecsim.observe.turn_story.facts import Facts
from ipsecsim.observe.turn_story.row import Row

_GOT, _SENT = ike.IkeMessageReceived, ike.IkeMessageSent


def _is_nat_found(facts: Facts) -> bool:
    found = facts.first(ike.NatDetected)
    return found is not None and (found.we_are_behind or found.peer_is_behind)


def _init_answered(_: Any, f: Facts) -> str:
    said = f"{f.node} accepts the proposal, answers with its half"
    nat = f.first(ike.NatDetected)
    if nat is None or not _is_nat_found(f):
        return f"{said}, and derives the keys."
    return f"{said}, and notices that {f.peer if nat.peer_is_behind else 'it'} is behind a NAT."


def _init_answered_why(_: Any, f: Facts) -> str:
    if _is_nat_found(f):
        return (
            "The hash of the address that the peer believes in does not fit the address seen here: "
            "somebody on the way has changed it."
        )
    return (
        "Both sides have the same shared secret now, onlookers do not; but nobody has proved yet who it is."
    )


def _auth_asked(_: Any, f: Facts) -> str:
    if _is_nat_found(f):
        return f"{f.node} moves to port 4500 and proves to {f.peer} who it is, now under encryption."
    return f"{f.node} derives the keys and proves to {f.peer} who it is, now under encryption."


def _auth_asked_why(_: Any, f: Facts) -> str:
    if _is_nat_found(f):
        return (
            "A NAT was found: from here on IKE and ESP share UDP port 4500, where four zero bytes mark IKE. "
            "The proof covers the first message, so nobody can have changed it."
        )
    return (
        "The proof covers the first message: had anybody changed it on the way, the peer would find out now."
    )


def _auth_answered(_: Any, f: Facts) -> str:
    who = f.first(ike.PeerAuthenticated)
    name = f.peer if who is None else who.identity
    if f.has(ike.ChildSaFailed):
        return f"{f.node} believes {name} and proves itself, but sets no Child SA up."
    if f.has(ike.ChildSaCreated):
        return f"{f.node} believes {name}, proves itself, and sets the Child SA up."
    return f"{f.node} believes {name} and answers."


def _auth_answered_why(_: Any, f: Facts) -> str:
    failed = f.first(ike.ChildSaFailed)
    if failed is not None:
        return f"The IKE SA stands all the same: {failed.notify} is about the child only."
    lent = f.first(ike.AddressLent)
    if lent is not None:
        return f"It lends {lent.address} to the peer, for as long as the IKE SA lives."
    return "The inbound SA is installed before the answer leaves, for the peer may send as soon as it has it."


def _auth_done(_: Any, f: Facts) -> str:
    who = f.first(ike.PeerAuthenticated)
    name = f.peer if who is None else who.identity
    if f.has(ike.ChildSaFailed):
        return f"{f.node} believes {name}, but gets no Child SA."
    sealed = f.first(PacketSealed)
    if sealed is not None and f.has(HoldEnded):
        return f"{f.node} believes {name}, installs the SAs, and sends {naming.noun(sealed.inner)}, which waited."
    return f"{f.node} believes {name} and installs the SAs: the tunnel is up."


def _auth_done_why(_: Any, f: Facts) -> str:
    failed = f.first(ike.ChildSaFailed)
    if failed is not None:
        return (
            f"The peer proved who it is, and so the IKE SA stands; {failed.notify} is about the child only."
        )
    given = f.first(ike.ConfigurationReceived)
    if given is not None and given.addresses:
        return f"The gateway gave it {', '.join(given.addresses)}, an address that none of its links has."
    return "Four messages were enough: two for keys, two for proofs and the first pair of SAs."


def _reported(event: ike.NotifyReceived, f: Facts) -> str:
    return f"{f.node} learns that {f.peer} refuses: {event.notify}."


def _reported_why(event: ike.NotifyReceived, f: Facts) -> str:
    if event.exchange == "IKE_SA_INIT":
        return "The answer is in clear, so anybody could have sent it: a better one may still come."
    if event.notify == "AUTHENTICATION_FAILED":
        return "Only the peer knows whether it was secret, identity or certificate: the wire says no more."
    if f.has(ike.RekeyPostponed):
        return "The old SA lives on, and it will ask again."
    return "Only the peer knows what it would have taken."


_TROUBLE = (
    Row(
        ike.CookieReturned,
        "repeats",
        "{f.node} begins again, with {f.peer}'s cookie in front.",
        "The cookie proves that it receives at its address; before that the responder keeps no state for it.",
    ),
    Row(
        ike.GroupChanged,
        "repeats",
        "{f.node} begins again with group {e.wanted}, as {f.peer} asks.",
        "A wrong guess at the group costs one round trip; all proposals stay as they were.",
    ),
    Row(
        ike.MessageRetransmitted,
        "repeats",
        "{f.node} got no answer from {f.peer} and repeats its request: the same bytes.",
        "UDP loses packets, and whoever asks repeats. The message ID lets the peer recognise it.",
    ),
    Row(
        ike.ResponseRepeated,
        "repeats",
        "{f.node} knows this request already, and repeats its stored answer.",
        "A request that comes twice is not carried out twice; so a lost answer does no harm.",
    ),
    Row(
        ike.PeerUnresponsive,
        "gives up",
        "{f.node} gives up: {e.tries} tries of {e.exchange} had no answer.",
        lambda e, f: (
            "Its SAs go too. It cannot tell a dead peer from a dead path."
            if e.exchange not in ("IKE_SA_INIT", "IKE_AUTH")
            else "Nothing has come of it. It cannot tell a dead peer from a dead path, nor from silence."
        ),
    ),
    Row(
        ike.RefusalBelieved,
        "gives up",
        "{f.node} believes the refusal: no better answer came in time.",
        "It was in clear and nobody had signed it, so it was given time to be proved wrong.",
    ),
    Row(
        ike.HalfOpenExpired,
        "gives up",
        "{f.node} forgets an initiator that never proved who it is.",
        "What has only begun may not take up memory for ever.",
    ),
    Row(
        fragment.IkeFragmentStored,
        "keeps",
        "{f.node} checks the seal of fragment {e.number} of {e.total} and keeps it.",
        "Each fragment has a seal of its own, so a forged one cannot take the place of a true one.",
        lambda e, f: not f.has(fragment.IkeFragmentsJoined),
    ),
    Row(
        fragment.IkeFragmentsDiscarded,
        "gives up",
        "{f.node} forgets {e.stored} of {e.total} fragments of a message.",
        "The others did not come in time; whoever sent them will repeat all.",
    ),
)

_HANDSHAKE = (
    Row(
        _SENT,
        "holds",
        "{f.node} holds {f.noun} back and offers {f.peer} algorithms and half of a key exchange.",
        "Policy demands protection, and there is no SA yet. This message is in clear, for there are no keys.",
        lambda e, f: f.has(PacketHeld) and f.asks("IKE_SA_INIT"),
    ),
    Row(
        _SENT,
        "holds",
        "{f.node} holds {f.noun} back and asks {f.peer} for another Child SA.",
        "The SAs there are do not carry this traffic; the IKE SA stands, so one exchange is enough.",
        lambda e, f: f.has(PacketHeld),
    ),
    Row(
        _GOT,
        "answers",
        _init_answered,
        _init_answered_why,
        lambda e, f: f.got_request("IKE_SA_INIT") and f.answers("IKE_SA_INIT"),
        ike.NatDetected,
    ),
    Row(
        _GOT,
        "answers",
        _auth_asked,
        _auth_asked_why,
        lambda e, f: f.asks("IKE_AUTH") and f.got_answer("IKE_SA_INIT"),
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} adds the second secret to the keys and proves to {f.peer} who it is.",
        "Whoever breaks one of the key exchanges still lacks the other.",
        lambda e, f: f.asks("IKE_AUTH"),
        ike.AdditionalKeyExchanged,
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} has keys now, and sends {f.peer} its half of one more key exchange.",
        "It is too large for the first message, which must not be cut, and here it is encrypted.",
        lambda e, f: f.asks("IKE_INTERMEDIATE"),
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} answers with its half of the key exchange, and makes all keys anew.",
        "The new keys depend on both secrets, and hold from the next message on.",
        lambda e, f: f.answers("IKE_INTERMEDIATE"),
        ike.AdditionalKeyExchanged,
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} offers {f.peer} algorithms and its half of a key exchange.",
        "IKE_SA_INIT is not encrypted: no keys exist yet. Two hashes of the addresses let the peer notice a NAT.",
        lambda e, f: f.asks("IKE_SA_INIT"),
    ),
    Row(
        ike.PeerRefused,
        "answers",
        "{f.node} does not believe {f.peer} and refuses.",
        "It knows why, and does not say so: {e.why}.",
    ),
    Row(
        _GOT,
        "answers",
        _auth_answered,
        _auth_answered_why,
        lambda e, f: f.got_request("IKE_AUTH") and f.answers("IKE_AUTH"),
        ike.PeerAuthenticated,
    ),
    Row(
        ike.NotifyReceived, "learns", _reported, _reported_why, lambda e, f: not f.has(ike.PeerAuthenticated)
    ),
    Row(
        _GOT,
        "accepts",
        _auth_done,
        _auth_done_why,
        lambda e, f: f.got_answer("IKE_AUTH"),
        ike.PeerAuthenticated,
    ),
)

HANDSHAKE: tuple[Row, ...] = (*_TROUBLE, *_HANDSHAKE)
"""The rows, in order: what is rarer and says more stands first."""
