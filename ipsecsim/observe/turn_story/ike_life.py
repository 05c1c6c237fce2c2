"""Turns in the life of an IKE SA: new keys, more children, proofs of life, goodbyes, and peers that move."""

from typing import Any

from ipsecsim.base.address import unpack
from ipsecsim.ike import events as ike
from ipsecsim.ike import mobility_events as mobility
from ipsecsim.ike import sync_events as sync
from ipsecsim.ipsec.events import HoldEnded, PacketOpened, PacketSealed, SaExpired, SaExpiring, SaMoved
from ipsecsim.observe.turn_story.facts import Facts
from ipsecsim.observe.turn_story.row import Row

_GOT, _SENT = ike.IkeMessageReceived, ike.IkeMessageSent


def _new_child(f: Facts) -> bool:
    return f.in_request("TSi") and not f.in_request("N(REKEY_SA)")


def _rekeys_child(f: Facts) -> bool:
    return f.in_request("N(REKEY_SA)")


def _moved_path(event: mobility.PathChanged, f: Facts) -> str:
    return f"{f.node} moves the IKE SA to {unpack(event.after[0])} and tells {f.peer}."


def _deleted(_: Any, f: Facts) -> str:
    if f.has(ike.StateChanged):
        return f"{f.node} is told that the IKE SA ends, forgets it, and answers."
    return f"{f.node} is told that SAs end, takes them out, and answers."


MOBILITY: tuple[Row, ...] = (
    Row(
        mobility.PeerRebound,
        "learns",
        "{f.node} sees that a NAT has given {f.peer} another mapping, and sends there from now on.",
        "Only the newest authentic packet can say so: an old one, sent again, would lead the answers astray.",
    ),
    Row(
        mobility.RoutabilityChecked,
        "accepts",
        "{f.node} gets its cookie back: {f.peer} does receive at the new address.",
        "Without that check a peer could have a gateway flood somebody else with its packets.",
        lambda e, f: e.is_good,
    ),
    Row(
        mobility.RoutabilityChecked,
        "gives up",
        "{f.node} closes the IKE SA: its cookie did not come back unchanged.",
        "Whoever answers does not receive what is sent to that address.",
    ),
    Row(
        mobility.PathChanged,
        "answers",
        "{f.node} follows {f.peer} to its new address and answers there.",
        "Keys, SPIs and sequence numbers stay; only the outer addresses are others. No new handshake is needed.",
        lambda e, f: e.by_peer,
    ),
    Row(
        mobility.PathChanged,
        "sends",
        _moved_path,
        "Keys, SPIs and sequence numbers stay. Without MOBIKE it would have to begin from the first message.",
    ),
    Row(
        mobility.AddressLost,
        "waits",
        "{f.node} loses the address that its IKE SA uses, and has no other one yet.",
        "With MOBIKE the SAs stay until a way is found; packets of the tunnel are lost meanwhile.",
        lambda e, f: f.has(mobility.PathsTried) and not f.sent,
    ),
    Row(
        mobility.AddressLost,
        "gives up",
        "{f.node} loses the address that its IKE SA uses, and the SAs with it.",
        "Without MOBIKE an SA is bound to its two addresses: a new handshake has to come.",
        lambda e, f: not f.sent,
    ),
    Row(
        mobility.PathsTried,
        "sends",
        "{f.node} asks {f.peer} over every pair of addresses: the first answer decides.",
        "It cannot see which part of the way is broken, so it tries them all.",
        lambda e, f: bool(f.sent),
    ),
    Row(
        mobility.NatMappingChanged,
        "learns",
        "{f.node} learns from {f.peer} that a NAT has changed its mapping.",
        "It compares hashes of the addresses, just as in the first exchange.",
    ),
)

LIFE: tuple[Row, ...] = (
    Row(
        ike.LivenessChecked,
        "sends",
        "{f.node} has heard nothing for a while and asks {f.peer} whether it lives.",
        "An empty request has to be answered. Silence to several tries means that the peer is dead.",
    ),
    Row(
        ike.ReauthenticationBegan,
        "sends",
        "{f.node} begins a new IKE SA with {f.peer} beside the old one.",
        "New keys prove nothing: only a handshake from scratch shows that the peer still is who it was.",
    ),
    Row(
        ike.BeganAgain,
        "sends",
        "{f.node} begins again with {f.peer} from the first message, try {e.attempt}.",
        "Nobody answered the last one, and the tunnel is to be up whenever that is possible.",
    ),
    Row(
        SaExpiring,
        "seals",
        "{f.node} seals {f.inner_noun} and asks {f.peer} for new keys: the SA grows old.",
        "The soft limit comes before the hard one, so that the new SA is there before the old one ends.",
        lambda e, f: f.has(PacketSealed) and f.has(_SENT),
    ),
    Row(
        SaExpiring,
        "sends",
        "{f.node} asks {f.peer} for new keys: an SA is at its soft limit of {e.limit}.",
        "The soft limit comes before the hard one, so that the new SA is there before the old one ends.",
        lambda e, f: f.has(_SENT),
    ),
    Row(
        SaExpiring,
        "learns",
        "{f.node} has an SA at its soft limit of {e.limit}, and leaves the rest to others.",
        "Its successor is on its way already, or the other end will ask for it.",
        lambda e, f: not f.has(PacketOpened, PacketSealed),
    ),
    Row(
        ike.ReplacementFailed,
        "gives up",
        "{f.node} ends the whole IKE SA: an SA ran out, and {f.peer} refused new keys.",
        "Keys must not be used beyond their limit; without new ones there is no tunnel.",
    ),
    Row(
        SaExpired,
        "gives up",
        "{f.node} takes an SA out that is at its hard limit of {e.limit}.",
        "Nothing more may be sealed or opened with its keys.",
        lambda e, f: not f.has(PacketSealed, PacketOpened),
    ),
    Row(
        ike.ChildIdle,
        "gives up",
        "{f.node} closes a Child SA that has carried nothing for a while.",
        "Keys that nobody needs are better gone; the next packet asks for new ones.",
    ),
    Row(
        ike.TrustEnded,
        "gives up",
        "{f.node} ends the IKE SA: what proved the peer's identity has expired.",
        "A certificate proves nothing beyond its validity, however well the keys are.",
    ),
    Row(
        ike.PeerStayedBusy,
        "gives up",
        "{f.node} closes the IKE SA: {f.peer} said 'later' for too long.",
        "The two ends' view of the SA must be out of step.",
    ),
)

_CHILDREN = (
    Row(
        _GOT,
        "answers",
        "{f.node} agrees to new keys for the Child SA, which are ready on its side.",
        "The old SA still takes what is on its way; whoever asked for the new one will delete it.",
        lambda e, f: f.answers("CREATE_CHILD_SA") and _rekeys_child(f),
        ike.ChildRekeyed,
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} agrees to another Child SA beside the first.",
        "The IKE SA has proved both ends already: two messages are enough.",
        lambda e, f: f.answers("CREATE_CHILD_SA") and _new_child(f),
        ike.ChildSaCreated,
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} agrees to a new IKE SA, which takes the children over.",
        "The new keys come from a fresh key exchange, so the old ones tell nothing about them.",
        lambda e, f: f.answers("CREATE_CHILD_SA"),
        ike.IkeRekeyed,
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} goes over to the new keys and tells {f.peer} that the old SA ends.",
        "Only who asked for the new SA deletes the old one, so that both do not do it at once.",
        lambda e, f: f.got_answer("CREATE_CHILD_SA") and f.in_request("D"),
        ike.ChildRekeyed,
    ),
    Row(
        _GOT,
        "accepts",
        "{f.node} installs the new Child SA, and sends what waited for it.",
        "Nothing had to be proved anew: the IKE SA vouches for both ends.",
        lambda e, f: f.got_answer("CREATE_CHILD_SA") and f.has(HoldEnded),
        ike.ChildSaCreated,
    ),
    Row(
        _GOT,
        "accepts",
        "{f.node} has the answer of {f.peer}, and the new SA with it.",
        "From here on the new keys count; the old SA is still there for what is on its way.",
        lambda e, f: f.got_answer("CREATE_CHILD_SA"),
        ike.ChildSaCreated,
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} asks {f.peer} for new keys for the Child SA.",
        "Keys may be used for a time or a number of bytes only; this comes before that ends.",
        lambda e, f: f.asks("CREATE_CHILD_SA") and _rekeys_child(f),
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} asks {f.peer} for another Child SA.",
        "The IKE SA stands, so no proof is needed: two messages are enough.",
        lambda e, f: f.asks("CREATE_CHILD_SA") and _new_child(f),
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} asks {f.peer} for a new IKE SA in the place of the old one.",
        "IKE's own keys grow old like any others; the Child SAs will move over to the new one.",
        lambda e, f: f.asks("CREATE_CHILD_SA"),
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} sends {f.peer} its half of one more key exchange.",
        "The new keys are made only when the last of these exchanges is done.",
        lambda e, f: f.asks("IKE_FOLLOWUP_KE"),
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} answers with its half of the additional key exchange.",
        "The new keys depend on every secret: it is enough that one of them is not broken.",
        lambda e, f: f.answers("IKE_FOLLOWUP_KE"),
    ),
)

_INFORMATIONAL = (
    Row(
        _GOT,
        "answers",
        _deleted,
        "What it could still open on them is gone as well; packets on their way will meet no SA.",
        lambda e, f: f.got_request("INFORMATIONAL") and f.in_request("D") and f.has(_SENT),
    ),
    Row(
        _GOT,
        "accepts",
        "{f.node} has the answer of {f.peer}: the deletion is done on both sides.",
        "Until then it could still have opened what the peer had sent before.",
        lambda e, f: f.got_answer("INFORMATIONAL") and (f.in_answer("D") or f.has(ike.StateChanged)),
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} tells {f.peer} that SAs end.",
        "A peer that is not told would go on sealing packets that nobody can open.",
        lambda e, f: f.asks("INFORMATIONAL") and f.in_request("D"),
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} sends back what {f.peer} wants to see from this address.",
        "The cookie shows that it does receive here, and that no stranger answers in its place.",
        lambda e, f: f.got_request("INFORMATIONAL") and f.in_answer("N(COOKIE2)") and f.has(_SENT),
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} tells {f.peer} about its addresses.",
        "The peer must know where else it can be found before the way that is used breaks.",
        lambda e, f: f.asks("INFORMATIONAL") and f.in_request("N(COOKIE2)") and f.arrived is None,
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} asks {f.peer} something under the seal of the IKE SA.",
        "Both ends can trust what is said there: only they have the keys.",
        lambda e, f: f.asks("INFORMATIONAL"),
    ),
    Row(
        SaMoved,
        "accepts",
        "{f.node} has the answer of {f.peer}, and its SAs go on from the new address.",
        "Keys and numbers are the old ones; only the outer header of each packet changes.",
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} answers {f.peer}: it lives.",
        "An answer under the seal is a proof of life; a bare packet would be none.",
        lambda e, f: f.got_request("INFORMATIONAL") and f.has(_SENT),
    ),
    Row(
        _GOT,
        "accepts",
        "{f.node} has the answer of {f.peer}: it lives.",
        "The time of silence begins anew. No answer at all would have ended the SAs.",
        lambda e, f: f.got_answer("INFORMATIONAL"),
    ),
    Row(
        sync.MessageIdsSynchronised,
        "answers",
        "{f.node} agrees with {f.peer} on the next message IDs.",
        "Whoever took the IKE SA over may have missed some; both sides go on from numbers that neither has used.",
    ),
)

_REST = (
    Row(
        ike.HintTaken,
        "learns",
        "{f.node} hears in clear that {f.peer} does not know an SA, and does not believe it yet.",
        "Anybody could have sent it. It may ask the peer itself, under the seal of the IKE SA.",
    ),
    Row(
        ike.PeerTold,
        "answers",
        "{f.node} tells the sender that it can do nothing with its packet.",
        "Where there is no seal the sender must not believe it at once, or anybody could end a tunnel.",
    ),
    Row(
        _GOT,
        "answers",
        "{f.node} accepts the {e.exchange} message and answers.",
        "It carries out what was asked only because the seal of the message is good.",
        lambda e, f: f.has(_SENT),
    ),
    Row(
        _GOT,
        "accepts",
        "{f.node} accepts the {e.exchange} message of {f.peer}.",
        "Nothing has to be answered; what it says is known from now on.",
    ),
    Row(
        _SENT,
        "sends",
        "{f.node} sends {f.peer} an {e.exchange} message.",
        "Whoever asks repeats until the answer comes.",
    ),
)

EXCHANGES: tuple[Row, ...] = (*_CHILDREN, *_INFORMATIONAL, *_REST)
"""The rows, in order; the last ones fit whatever IKE does."""
