"""The form of a Child SA: transport or tunnel mode, later fragments, padding (RFC 7296 1.3.1).

Each of them is a notify beside the SA payload. What a responder does not repeat does not come to be, and the child
stands without it.

A NAT on the way makes the two ends see different addresses. In transport mode the traffic selectors hold the ends
themselves, so each end puts in those that it sees before it judges them, and keeps the others: the checksums of
what the peer sends count them (RFC 7296 2.23.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipsecsim.ike.config import ChildConfig
from ipsecsim.ike.errors import InvalidSyntax
from ipsecsim.ike.events import TransportModeDeclined
from ipsecsim.ike.v2.messages.message import notify
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.selector import LAST_PORT
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType
from ipsecsim.wire.ike.traffic_selector import TrafficSelector

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

Selectors = Sequence[TrafficSelector]


@dataclass(frozen=True, slots=True)
class ChildForm:
    """What both ends settled.

    `original_addresses` are source and destination of the peer's packets as the peer sees them, where a NAT is
    between. `takes_padding`: the peer has not said that it cannot do with TFC padding.
    """

    mode: Mode = Mode.TUNNEL
    original_addresses: tuple[bytes, bytes] | None = None
    stateful_fragments: bool = False
    takes_padding: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """Traffic selectors of a child in transport mode with the addresses that this node sees."""

    local: Selectors
    remote: Selectors
    original_addresses: tuple[bytes, bytes] | None


def wishes(sa: "IkeSa", config: ChildConfig) -> list[Payload]:
    """The notifies of an initiator."""
    mode = Mode.TRANSPORT if wants_transport(sa, config) else Mode.TUNNEL
    return _notifies(mode, fragments=_names_ports([*config.local_ts, *config.remote_ts]))


def echoes(form: ChildForm) -> list[Payload]:
    """The notifies of a responder."""
    return _notifies(form.mode, fragments=form.stateful_fragments)


def wants_transport(sa: "IkeSa", config: ChildConfig) -> bool:
    """Is transport mode wished for, and the traffic that of the two hosts alone (RFC 7296 2.23.1)?"""
    return config.mode is Mode.TRANSPORT and is_between(sa, config.local_ts, config.remote_ts)


def is_between(sa: "IkeSa", local: Selectors, remote: Selectors) -> bool:
    """Is it the traffic between the two ends of the IKE SA, as this node sees them, and nothing else?"""
    return _only_address(local) == sa.path.local and _only_address(remote) == sa.path.remote


def as_seen(sa: "IkeSa", local: Selectors, remote: Selectors) -> Seen | None:
    """The peer's selectors with the addresses that this node sees; None when they are not those of two hosts.

    `local` and `remote` are meant from here.
    """
    here, there = _only_address(local), _only_address(remote)
    if here is None or there is None:
        return None
    seen_here = sa.path.local if sa.we_are_behind_nat else here
    seen_there = sa.path.remote if sa.peer_is_behind_nat else there
    if {len(here), len(there)} != {len(seen_here), len(seen_there)}:
        return None
    return Seen(
        [replace(each, start=seen_here, end=seen_here) for each in local],
        [replace(each, start=seen_there, end=seen_there) for each in remote],
        (there, here) if sa.is_nat_between else None,
    )


def settled(payloads: Sequence[Payload], seen: Seen | None, selectors: Selectors) -> ChildForm:
    """The form by what the peer says. Transport mode where the child has `seen` selectors."""
    fragments = notify(payloads, NotifyType.NON_FIRST_FRAGMENTS_ALSO) is not None
    return ChildForm(
        Mode.TUNNEL if seen is None else Mode.TRANSPORT,
        None if seen is None else seen.original_addresses,
        fragments and seen is None and _names_ports(selectors),
        notify(payloads, NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED) is None,
    )


def is_transport_asked(payloads: Sequence[Payload]) -> bool:
    """Does a request ask for transport mode, or does an answer grant it?"""
    return notify(payloads, NotifyType.USE_TRANSPORT_MODE) is not None


def granted(sa: "IkeSa", payloads: Sequence[Payload], config: ChildConfig) -> bool:
    """Is it transport mode, seen from the initiator? Raises InvalidSyntax when nobody asked for it.

    A responder may decline; then the child is in tunnel mode, and that is as good here (RFC 7296 1.3.1).
    """
    is_wanted, is_granted = wants_transport(sa, config), is_transport_asked(payloads)
    if is_granted and not is_wanted:
        raise InvalidSyntax("transport mode that nobody asked for")
    if is_wanted and not is_granted:
        declined(sa, config.name, by_peer=True)
    return is_granted


def declined(sa: "IkeSa", name: str, *, by_peer: bool) -> None:
    """Tell that a child is in tunnel mode although transport mode was asked for."""
    if sa.tap is not None:
        sa.tap(TransportModeDeclined(name, by_peer))


def _notifies(mode: Mode, *, fragments: bool) -> list[Payload]:
    if mode is Mode.TRANSPORT:
        # what stands behind a packet without an outer header has no length of its own: no padding can be told
        # from it, and later fragments never come, since only whole packets go in (RFC 4303 2.7, 3.3.4)
        kinds = [NotifyType.USE_TRANSPORT_MODE, NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED]
    else:
        kinds = [NotifyType.NON_FIRST_FRAGMENTS_ALSO] if fragments else []
    return [Notify(kind) for kind in kinds]


def _names_ports(selectors: Selectors) -> bool:
    return any((each.start_port, each.end_port) != (0, LAST_PORT) for each in selectors)


def _only_address(selectors: Selectors) -> bytes | None:
    """The one address that all selectors are about, if there is one."""
    addresses = {address for each in selectors for address in (each.start, each.end)}
    return addresses.pop() if len(addresses) == 1 else None
