"""Sentences about addresses that change (RFC 4555)."""

from ipsecsim.base.address import unpack
from ipsecsim.ike import mobility_events as events
from ipsecsim.observe.telling.shape import Tellings


def _pair(pair: tuple[bytes, bytes]) -> str:
    return f"{unpack(pair[0])} - {unpack(pair[1])}"


def _agreed(event: events.MobikeAgreed) -> str:
    who = "this side decides which" if event.we_decide else "the peer decides which"
    return f"both sides speak MOBIKE: addresses may change while the SAs live, and {who} are used"


def _tried(event: events.PathsTried) -> str:
    if not event.pairs:
        return f"no pair of addresses is left ({event.why}): what is to be said has to wait"
    pairs = ", ".join(_pair(each) for each in event.pairs)
    return f"the way may be broken ({event.why}): asks over {pairs}; the first answer decides"


def _changed(event: events.PathChanged) -> str:
    who = "the peer moves" if event.by_peer else "moves"
    return f"{who} the IKE SA from {_pair(event.before)} to {_pair(event.after)}"


def _rebound(event: events.PeerRebound) -> str:
    (was, was_port), (now, port) = event.before, event.after
    what = "ESP" if event.only_esp else "all"
    return (
        f"a NAT has given the peer another mapping: {what} for it goes to {unpack(now)}:{port} from now on, "
        f"no more to {unpack(was)}:{was_port}"
    )


def _refused(event: events.AddressUpdateRefused) -> str:
    who = "the peer refuses" if event.by_peer else "refused"
    return f"{who} the addresses {_pair(event.pair)}: {event.why}"


def _checked(event: events.RoutabilityChecked) -> str:
    if event.is_good:
        return f"the peer sent the cookie back from {unpack(event.address)}: it does receive there"
    return f"the cookie did not come back unchanged from {unpack(event.address)}: the IKE SA is closed"


MOBILITY: Tellings = {
    events.MobikeAgreed: (_agreed, "RFC 4555 3.2"),
    events.PeerAddressesLearned: (
        lambda e: f"the peer says that it is at {', '.join(map(unpack, e.addresses))}",
        "RFC 4555 3.6",
    ),
    events.PathsTried: (_tried, "RFC 4555 3.10"),
    events.PathChanged: (_changed, "RFC 4555 3.5"),
    events.PeerRebound: (_rebound, lambda e: "RFC 4555 3.8" if e.only_esp else "RFC 7296 2.23"),
    events.AddressLost: (
        lambda e: f"this side lost {unpack(e.address)}, which the IKE SA uses: {e.outcome}",
        "RFC 4555 3.5",
    ),
    events.AddressUpdateRefused: (
        _refused,
        lambda e: "RFC 4555 3.9" if "on the way" in e.why else "RFC 4555 3.5",
    ),
    events.RoutabilityChecked: (_checked, "RFC 4555 3.7"),
    events.NatMappingChanged: (
        lambda _: "the peer sees this side at another address or port: a NAT has changed its mapping",
        "RFC 4555 3.8",
    ),
}
"""What to say about each event, and its clause."""
