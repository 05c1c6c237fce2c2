"""What an IKE endpoint knows: its IKE SAs, with their keys once there are some, and the addresses it lends."""

from collections.abc import Iterable, Iterator

from ipsecsim.base.address import unpack
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.sa import IkeSa
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.inventory.section import Entry, Row, Section, Value, as_one, each, end

_KEYS = ("sk_d", "sk_ai", "sk_ar", "sk_ei", "sk_er", "sk_pi", "sk_pr")
_ALARMS = {
    Alarm.REKEY: "to be replaced at",
    Alarm.REAUTH: "to prove itself anew at",
    Alarm.OVER: "ends at",
}


def _ike_sas(node: Node) -> Iterable[Row]:
    return each(node.ike.sas) if isinstance(node, VpnGateway) else ()


def _name(sa: IkeSa) -> str:
    return f"{sa.connection.name} {sa.own_spi.hex()}"


def _still(sa: IkeSa) -> object:
    path = sa.path
    return (
        *(sa.connection.name, sa.is_initiator, sa.spi_i, sa.spi_r, sa.peer, getattr(sa, "keys", None)),
        *(path.local, path.local_port, path.remote, path.remote_port),
        *(sa.we_are_behind_nat, sa.peer_is_behind_nat),
        *(sa.timers.deadline(alarm) for alarm in _ALARMS),
        tuple((child.config.name, child.spi_in, child.spi_out) for child in sa.children),
    )


def _facts(sa: IkeSa) -> Iterator[Entry]:
    row, path = _name(sa), sa.path
    yield (row, "role"), "initiator" if sa.is_initiator else "responder"
    yield (row, "SPI i"), sa.spi_i.hex()
    yield (row, "SPI r"), sa.spi_r.hex()
    yield (row, "local"), end((path.local, path.local_port))
    yield (row, "remote"), end((path.remote, path.remote_port))
    yield (row, "peer"), "" if sa.peer is None else str(sa.peer)
    yield (row, "we are behind a NAT"), sa.we_are_behind_nat
    yield (row, "the peer is behind a NAT"), sa.peer_is_behind_nat
    for alarm, word in _ALARMS.items():
        at = sa.timers.deadline(alarm)
        if at is not None:
            yield (row, word), at
    for child in sa.children:
        yield (row, "children", child.config.name), f"in {child.spi_in:08x}, out {child.spi_out:08x}"
    keys = getattr(sa, "keys", None)
    if keys is not None:
        yield (row, "suite"), sa.suite.words
        for key in _KEYS:
            yield (row, "keys", key), getattr(keys, key).hex()


def _moving(sa: IkeSa) -> tuple[Value | None, ...]:
    window = sa.window
    return sa.state.name, window.next_request, window.expected_request, window.outstanding is not None


IKE = Section(
    _ike_sas,
    _facts,
    still=_still,
    counters=("state", "next request", "expected request", "waits for an answer"),
    moving=_moving,
    name=_name,
)


def _pools(node: Node) -> Iterator[Entry]:
    """Who has which virtual address (RFC 7296 2.19)."""
    if isinstance(node, VpnGateway):
        for pool in dict.fromkeys(each for connection in node.ike.connections for each in connection.pools):
            for address, holder in node.ike.leases.lent(pool).items():
                yield (pool.name, unpack(address)), str(holder)


POOLS = Section(as_one, _pools)
