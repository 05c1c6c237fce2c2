"""The conversations with a charon that are about virtual addresses, in both roles."""

from collections.abc import Awaitable, Callable
from typing import Any

from ipsecsim.base.address import Prefix, pack
from ipsecsim.ike.pools import Pool
from tests.interop import address_plays
from tests.interop.lab import OUR_NET, PEER_NET, Case, Lab

ANY, ANY_6 = ".".join("0000"), "::"
EVERYTHING = "0.0.0.0/0,::/0"
FOUR, SIX = "10.9.0.0/24", "fd09::/64"
POOL, POOL_6 = Pool.of("four", Prefix.parse(FOUR)), Pool.of("six", Prefix.parse(SIX))
LAST = Pool("last", pack("10.9.0.1"), pack("10.9.0.1"))


def _we_ask(vips: str, *, nets: str = PEER_NET, four: str = FOUR, **others: Any) -> dict[str, Any]:
    """Charon lends, from `four` and IPv6 addresses; `nets` lie behind it."""
    return {
        "vips": tuple(filter(None, vips.split(","))),
        "our_local_ts": EVERYTHING,
        "our_remote_ts": nets,
        "peer_local_ts": nets,
        "peer_remote_ts": "dynamic",
        "options": {"pools": "four,six"},
        "peer_pools": {"four": {"addrs": four, "dns": "10.2.0.53", "subnet": nets}, "six": {"addrs": SIX}},
        **others,
    }


def _charon_asks(
    vips: str, *, nets: str = OUR_NET, pools: tuple[Pool, ...] = (POOL, POOL_6)
) -> dict[str, Any]:
    """We lend, and `nets` lie behind us."""
    return {
        "options": {"vips": vips} if vips else {},
        "our_local_ts": nets,
        "our_remote_ts": f"{FOUR},{SIX}",
        "peer_local_ts": "dynamic",
        "peer_remote_ts": nets,
        "our_pools": pools,
    }


Play = Callable[[Lab], Awaitable[None]]
_NETS_6 = ",fd02::/64", ",fd01::/64"

_TABLE: list[tuple[str, Play, dict[str, Any], dict[str, Any]]] = [
    ("virtual IP", address_plays.lent, _we_ask(ANY), _charon_asks(ANY)),
    (
        "virtual IP, IPv4 and IPv6",
        address_plays.lent_both,
        _we_ask(f"{ANY},{ANY_6}", nets=PEER_NET + _NETS_6[0]),
        _charon_asks(f"{ANY},{ANY_6}", nets=OUR_NET + _NETS_6[1]),
    ),
    (
        "virtual IP of one's own choice",
        address_plays.lent_as_wished,
        _we_ask(address_plays.WISH),
        _charon_asks(address_plays.WISH),
    ),
    (
        "virtual IP, split tunnel",
        address_plays.split_tunnel,
        _we_ask(ANY, nets=f"{PEER_NET},10.3.0.0/24"),
        _charon_asks(ANY, nets=f"{OUR_NET},10.4.0.0/24"),
    ),
    (
        "virtual IP, pool exhausted",
        address_plays.exhausted,
        _we_ask(ANY, four="10.9.0.1-10.9.0.1", another_id="another.example", expected_id="%any"),
        _charon_asks(ANY, pools=(LAST,)),
    ),
    ("virtual IP not asked for", address_plays.refused, _we_ask(""), _charon_asks("")),
]
VISITS = [
    Case(name, role, play, **(ours if role == "initiator" else charons))
    for name, play, ours, charons in _TABLE
    for role in ("initiator", "responder")
]
