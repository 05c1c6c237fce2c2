"""Sentences about IKE."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ipsecsim.base.instant import format_duration
from ipsecsim.ike import events as ike
from ipsecsim.ike import fragment_events as fragment
from ipsecsim.observe.packets.packet_summary import message_name
from ipsecsim.observe.telling.shape import Tellings, count, start_of


def _message(verb: str) -> Callable[[Any], str]:
    def tell(event: ike.IkeMessageSent | ike.IkeMessageReceived) -> str:
        name = _name(event)
        payloads = ", ".join(event.payloads) or "no payload"
        inside = f"SK {{{payloads}}}" if event.sealed else payloads
        return f"{verb} {name} ({event.length} B): {inside}"

    return tell


def _name(
    event: ike.IkeMessageSent
    | ike.IkeMessageReceived
    | fragment.IkeFragmentStored
    | fragment.IkeFragmentsJoined,
) -> str:
    return message_name(event.exchange, event.message_id, is_response=event.is_response)


_EXCHANGES = {
    "IKE_SA_INIT": "RFC 7296 1.2",
    "IKE_INTERMEDIATE": "RFC 9242 3.2",
    "IKE_AUTH": "RFC 7296 1.2",
    "CREATE_CHILD_SA": "RFC 7296 1.3",
    "IKE_FOLLOWUP_KE": "RFC 9370 2.2.4",
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
        f"derived SKEYSEED {start_of(event.skeyseed)} from nonces and shared secret, and from it the seven "
        f"SK_ keys ({cipher}; SK_ei {start_of(event.sk_ei)}, SK_er {start_of(event.sk_er)})"
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


def _duplicates(event: ike.DuplicatesEnded) -> str:
    which = f"{count(len(event.spi_i), 'older IKE SA', 'older IKE SAs')} with {event.identity}"
    if event.is_forgotten:
        return f"forgot {which}: the peer knows of no other than the new one (INITIAL_CONTACT)"
    return f"ended {which}, since a new one stands"


def _initiations_crossed(event: ike.InitiationsCrossed) -> str:
    which = "the peer's" if event.is_ours_kept else "ours"
    return f"both ends began {event.connection} at once: {which} was made with the lowest nonce and goes"


def _peer_told(event: ike.PeerTold) -> str:
    how = "under the seal of the IKE SA" if event.is_sealed else "in clear, and once"
    return f"told the sender that nothing can be done with its packet: {event.notify}, {how}"


def _hint_taken(event: ike.HintTaken) -> str:
    then = "asks the peer itself" if event.is_asking else "the peer was heard just now, or is being asked"
    return f"{event.notify} in clear, which anybody may have sent: changed nothing, {then}"


_ONLY_THE_PEER_KNOWS = {
    "AUTHENTICATION_FAILED": "whether by secret, identity or certificate, only the peer knows",
    "NO_PROPOSAL_CHOSEN": "what it found wanting in the proposals, only the peer knows",
    "TS_UNACCEPTABLE": "which traffic it would have taken, only the peer knows",
}


def _reported(event: ike.NotifyReceived) -> str:
    told = f"the peer reported {event.notify} in {event.exchange}"
    doubt = _ONLY_THE_PEER_KNOWS.get(event.notify)
    return f"{told}: {doubt}" if doubt else told


def _diagnosed(event: ike.Diagnosed) -> str:
    row = event.diagnosis
    seen = " ".join(row.shows_as)
    is_word = seen in _ONLY_THE_PEER_KNOWS
    outside = f"the peer sees only {seen}" if is_word else f"outside it shows as {seen}"
    return f"{row.name}: {row.sentence} ({event.detail}); {outside}"


def _postponed(event: ike.RekeyPostponed) -> str:
    return f"the peer is busy: asking again at {format_duration(event.until)}"


def _stayed_busy(event: ike.PeerStayedBusy) -> str:
    return f"the peer was busy for {format_duration(event.how_long)}: this IKE SA is closed"


def _overtook(event: ike.DeleteOvertook) -> str:
    return f"new Child SA {event.child}, SPI {event.spi_out:08x} out, is not installed: the peer deleted it already"


def _child_failed(event: ike.ChildSaFailed) -> str:
    child = f"Child SA {event.child}" if event.child else "the Child SA"
    return f"{child} did not come up: {event.notify}"


def _pools_exhausted(event: ike.PoolsExhausted) -> str:
    pools = ", ".join(event.pools) or "none at all"
    return f"{event.identity} asked for a virtual address, and no pool has one left (pools: {pools})"


def _configured(event: ike.ConfigurationReceived) -> str:
    told = f"the gateway gave us {', '.join(event.addresses)}"
    if event.name_servers:
        told += f", name server {', '.join(event.name_servers)}"
    if event.subnets:
        told += f", and says that {', '.join(event.subnets)} lies behind it"
    return told


def _unresponsive(event: ike.PeerUnresponsive) -> str:
    return f"gave the peer up: no answer to {count(event.tries, 'try', 'tries')} of {event.exchange}"


IKE: Tellings = {
    ike.IkeMessageSent: (_message("sent"), _exchange_clause),
    ike.IkeMessageReceived: (_message("received"), _exchange_clause),
    fragment.IkeMessageCut: (
        lambda e: (
            f"message {e.message_id} is too large for one datagram: {e.fragments} IKE fragments"
            f" of at most {e.largest} B, each with a seal of its own"
        ),
        "RFC 7383 2.5",
    ),
    fragment.IkeFragmentSizeLowered: (
        lambda e: (
            f"request {e.message_id} may be too large for the path: it goes in {e.fragments} fragments"
            f" from now on, in IP packets of at most {e.size} B"
        ),
        "RFC 7383 2.5.2",
    ),
    fragment.IkeFragmentStored: (
        lambda e: f"kept fragment {e.number} of {e.total} of {_name(e)}: its seal holds",
        "RFC 7383 2.6",
    ),
    fragment.IkeFragmentsJoined: (
        lambda e: f"put {_name(e)} together from {count(e.total, 'fragment')}: {e.size} B inside SK",
        "RFC 7383 2.6",
    ),
    fragment.IkeFragmentsDiscarded: (
        lambda e: f"forgot {e.stored} of {count(e.total, 'fragment')} of message {e.message_id}: {e.why}",
        "RFC 7383 2.6",
    ),
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
    ike.AdditionalKeyExchanged: (
        lambda e: (
            f"did additional key exchange {e.number} with {e.group}: its secret goes into the keys, too; "
            f"{e.left or 'none'} to come"
        ),
        "RFC 9370 2.2",
    ),
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
    ike.DuplicatesEnded: (_duplicates, "RFC 7296 2.4"),
    ike.InitiationsCrossed: (_initiations_crossed, "RFC 7296 2.8.2"),
    ike.NotifyReceived: (_reported, "RFC 7296 2.21"),
    ike.Diagnosed: (_diagnosed, lambda e: e.diagnosis.clause),
    ike.RefusalBelieved: (
        lambda e: (
            f"no better answer came than the refusal of {e.connection}, which nobody signed: believed it"
        ),
        "RFC 7296 2.21.1",
    ),
    ike.PeerTold: (_peer_told, "RFC 7296 1.5"),
    ike.HintTaken: (_hint_taken, "RFC 7296 2.4"),
    ike.StateChanged: (_state, ""),
    ike.SelectorsNarrowed: (_narrowed, "RFC 7296 2.9"),
    ike.ChildSaCreated: (_child_created, "RFC 7296 2.17"),
    ike.AddressLent: (
        lambda e: f"lent {e.address} of pool {e.pool} to {e.identity}, for the life of the IKE SA",
        "RFC 7296 3.15.1",
    ),
    ike.AddressReturned: (
        lambda e: f"{e.address} is back in pool {e.pool}, which remembers whose it was",
        "RFC 7296 3.15.1",
    ),
    ike.PoolsExhausted: (_pools_exhausted, "RFC 7296 3.15.4"),
    ike.ConfigurationReceived: (_configured, "RFC 7296 2.19"),
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
    ike.ReauthenticationBegan: (
        lambda e: (
            f"the proofs of connection {e.connection} are old: begins a new IKE SA from scratch, beside the old one"
        ),
        "RFC 7296 2.8.3",
    ),
    ike.BeganAgain: (
        lambda e: f"connection {e.connection}: began again from the first message, try {e.attempt}",
        "RFC 7296 2.4",
    ),
    ike.ChildIdle: (
        lambda e: (
            f"Child SA {e.child}, SPI {e.spi:08x} in, has carried nothing for {format_duration(e.how_long)}: "
            "closes it"
        ),
        "RFC 7296 2.4",
    ),
    ike.ReplacementFailed: (
        lambda e: (
            f"Child SA {e.child}, SPI {e.spi:08x} in, has come to its end, and the peer refused to replace it: "
            "the whole IKE SA goes"
        ),
        "RFC 7296 2.8",
    ),
    ike.RekeyPostponed: (_postponed, "RFC 7296 2.25"),
    ike.PeerStayedBusy: (_stayed_busy, "RFC 7296 2.25"),
    ike.DeleteOvertook: (_overtook, "RFC 7296 2.25.1"),
    ike.HalfOpenExpired: (lambda _: "the initiator never proved who it is: forgot it", "RFC 7296 2.4"),
}
"""What to say about each event, and its clause."""
