"""What an IPsec engine knows: SPD, SAD, and packets that wait for an SA (RFC 4301 4.4)."""

from collections.abc import Iterable, Iterator

from ipsecsim.base.address import unpack
from ipsecsim.ipsec.association import Direction, SecurityAssociation
from ipsecsim.ipsec.lifetime import ENDLESS
from ipsecsim.ipsec.policy import Policy
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.inventory.section import Entry, Row, Section, Value, as_one, each

CELLS = 32  # of a replay window's picture
SEPARATOR = "; "  # of selectors, in which there are commas

# -- policies, in the order in which they are tried -----------------------------------------------

_Rule = tuple[int, Policy]


def _rules(node: Node) -> Iterator[Row]:
    if isinstance(node, VpnGateway):
        for number, policy in enumerate(node.ipsec.spd.policies, start=1):
            yield (number, id(policy)), (number, policy)


def _rule_name(rule: _Rule) -> str:
    number, policy = rule
    return f"{number} {policy.name}"


def _rule_facts(rule: _Rule) -> Iterator[Entry]:
    row, policy = _rule_name(rule), rule[1]
    way = "" if policy.direction is None else f" {policy.direction.value}"
    yield (row, "action"), policy.action.value + way
    yield (row, "selectors"), SEPARATOR.join(map(str, policy.selectors))
    if policy.only_with_sa:
        yield (row, "sleeps"), policy.is_asleep


POLICIES = Section(
    _rules,
    _rule_facts,
    still=lambda rule: (rule[1].selectors, rule[1].direction, rule[1].is_asleep),
    counters=("hits",),
    moving=lambda rule: (rule[1].hits,),
    name=_rule_name,
    handle=lambda rule: rule[1].name,
)

# -- SAs ------------------------------------------------------------------------------------------


def _sas(node: Node) -> Iterable[Row]:
    return each(node.ipsec.sad.all()) if isinstance(node, VpnGateway) else ()


def _sa_name(sa: SecurityAssociation) -> str:
    """'in 5e0d77aa'."""
    return f"{sa.parameters.direction.value} {sa.spi:08x}"


def _sa_facts(sa: SecurityAssociation) -> Iterator[Entry]:
    row, parameters = _sa_name(sa), sa.parameters
    in_udp = "" if parameters.udp_ports is None else " in UDP"
    yield (row, "kind"), f"{parameters.protocol.name} {parameters.mode.value}{in_udp}"
    words = parameters.suite.words
    yield (row, "suite"), f"{words}-esn" if parameters.extended_sequence else words
    yield (row, "outer"), f"{unpack(parameters.source)} > {unpack(parameters.destination)}"
    if parameters.udp_ports is not None:
        yield (row, "UDP ports"), "{} > {}".format(*parameters.udp_ports)
    yield (row, "selectors"), SEPARATOR.join(map(str, parameters.selectors))
    yield (row, "policy"), parameters.policy
    if parameters.direction is Direction.INBOUND:
        yield (row, "window size"), parameters.replay_window
    yield (row, "installed at"), sa.installed_at
    hard = parameters.lifetime.hard
    if hard.duration != ENDLESS:
        yield (row, "ends at"), sa.installed_at + hard.duration
    if hard.packets != ENDLESS:
        yield (row, "ends after packets"), hard.packets
    if hard.octets != ENDLESS:
        yield (row, "ends after octets"), hard.octets
    if sa.path_mtu is not None:
        yield (row, "path MTU"), sa.path_mtu
    yield (row, "keys", "encryption"), parameters.encryption_key.hex()
    yield (row, "keys", "integrity"), parameters.integrity_key.hex()


def _sa_moving(sa: SecurityAssociation) -> tuple[Value | None, ...]:
    if sa.parameters.direction is Direction.OUTBOUND:
        return sa.sequence, None, sa.packets, sa.octets
    return sa.replay.top, sa.replay.picture(CELLS) or None, sa.packets, sa.octets


SAS = Section(
    _sas,
    _sa_facts,
    still=lambda sa: (sa.parameters, sa.path_mtu),
    counters=("sequence", "window", "packets", "octets"),
    moving=_sa_moving,
    name=_sa_name,
    handle=lambda sa: sa.spi,
)

# -- packets that wait ----------------------------------------------------------------------------


def _held(node: Node) -> Iterator[Entry]:
    """Packets that wait for an SA (RFC 4301 5.1)."""
    if isinstance(node, VpnGateway):
        for (policy, selector), packets in node.ipsec.holding.items():
            yield (policy if selector is None else f"{policy} {selector}", "packets"), packets


HELD = Section(as_one, _held)
