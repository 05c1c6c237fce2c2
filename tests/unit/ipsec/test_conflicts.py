"""Two peers behind NATs ask a gateway or a server for the same traffic (RFC 3948 5)."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.actions import Deliver, SaRefused, SendDatagram
from ipsecsim.ipsec.association import Direction, Mode
from ipsecsim.ipsec.description import describe
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.events import SaConflictFound
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import OPAQUE_PORT, Selector
from ipsecsim.ipsec.settings import Settings
from ipsecsim.wire import ip, ipv4, udp
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.west_east import mirrored, parameters, with_ports

SERVER, SUZY = pack("198.51.100.1"), pack("10.9.0.2")
NAT_1, NAT_2 = pack("192.0.2.1"), pack("192.0.2.2")
LAPTOP = pack("10.1.2.3")  # the address of both laptops, each in its own network
BEHIND_LAPTOP = Selector.between(Prefix.parse("10.9.0.0/24"), Prefix.parse("10.1.2.3/32"))


def to_nat(nat: bytes = NAT_1, protocol: int = 0, **ports) -> Selector:
    """Traffic in transport mode, as the server sees it: every client has the NAT's address."""
    return Selector((SERVER, SERVER), (nat, nat), protocol, **ports)


class Server:
    """The node in the middle, and the pairs of SAs that its peers have negotiated."""

    def __init__(self, rules: dict[str, Selector] | None = None, **settings) -> None:
        self.events: list = []
        rules = rules or {"clients": BEHIND_LAPTOP}
        policies = [Policy(name, PolicyAction.PROTECT, (row,)) for name, row in rules.items()]
        self.engine = IpsecEngine(policies, self.events.append, settings=Settings(**settings))

    def meet(
        self, name, nat, port, spi, selector=BEHIND_LAPTOP, *, mode=Mode.TUNNEL, policy="clients", **more
    ):
        """A peer called so has its pair agreed on; both halves have the SPI. What the server asks for."""
        ends = {
            Direction.INBOUND: (nat, SERVER, (port, 4500), mirrored((selector,))),  # `parameters` turns it
            Direction.OUTBOUND: (SERVER, nat, (4500, port), (selector,)),
        }
        actions = []
        for direction, (source, destination, ports, selectors) in ends.items():
            changes = {"spi": spi, "source": source, "destination": destination, "selectors": selectors}
            changes |= {"udp_ports": ports, "peer": name, "mode": mode, "policy": policy} | more
            actions += self.engine.install(parameters(direction, **changes), 0)
        return actions

    def has(self, spi: int) -> bool:
        """Are both halves of a pair here?"""
        directions = {sa.parameters.direction for sa in self.engine.sad.all() if sa.spi == spi}
        assert len(directions) != 1
        return bool(directions)

    def sends_to(self, packet: bytes) -> tuple[bytes, int]:
        """Where a packet to a client goes: address and port of a NAT."""
        (action,) = self.engine.outbound(packet, 0)
        if isinstance(action, SendDatagram):
            return action.destination, action.destination_port
        return ip.destination(action.packet), action.udp_ports[1]

    def receive(self, nat: bytes, port: int, spi: int, inner: bytes, mode=Mode.TUNNEL) -> list:
        """A client's packet comes through its NAT: what the server does with it."""
        selector = anything(inner)
        client = IpsecEngine([Policy("clients", PolicyAction.PROTECT, (selector,))])
        changes = {"spi": spi, "source": ip.source(inner), "destination": SERVER, "selectors": (selector,)}
        changes |= {"udp_ports": (4500, 4500), "policy": "clients", "mode": mode}
        client.install(parameters(Direction.OUTBOUND, **changes), 0)
        (sealed,) = client.outbound(inner, 0)
        esp = sealed.payload if mode is Mode.TUNNEL else ipv4.payload(sealed.packet)[udp.HEADER_LENGTH :]
        outer = ipv4.build(
            nat, SERVER, IpProtocol.UDP, udp.build(nat, SERVER, port, 4500, esp, checksum=False)
        )
        return self.engine.inbound(IpProtocol.ESP, outer, 28, 0)

    @property
    def conflicts(self) -> list[SaConflictFound]:
        return [event for event in self.events if isinstance(event, SaConflictFound)]

    @property
    def drops(self) -> list[DropReason]:
        return [event.reason for event in self.events if isinstance(event, PacketDropped)]


def anything(packet: bytes) -> Selector:
    """Whatever its source sends to its destination."""
    source, destination = ip.addresses(packet)
    return Selector((source, source), (destination, destination))


# -- tunnel mode -------------------------------------------------------------------------------------


@pytest.mark.conf("UDP-06", "UDP-08")
@pytest.mark.parametrize("bobs_way", [(NAT_2, 4500), (NAT_1, 61001)], ids=["another NAT", "the same NAT"])
def test_of_two_laptops_with_one_inner_address_the_second_is_refused(bobs_way):
    server = Server()
    assert server.meet("ari", NAT_1, 61000, 0x1001) == []
    assert server.meet("bob", *bobs_way, 0x1002) == [SaRefused(bobs_way[0], 0x1002)]
    assert server.has(0x1001)
    assert not server.has(0x1002)
    found = server.conflicts[0]
    assert (found.peer, found.spi, found.standing_peer, found.standing_spi) == ("bob", 0x1002, "ari", 0x1001)
    assert found.is_refused


@pytest.mark.conf("UDP-06", "UDP-08")
def test_nothing_is_delivered_to_the_wrong_laptop_nor_from_the_refused_one():
    server = Server()
    server.meet("ari", NAT_1, 61000, 0x1001)
    server.meet("bob", NAT_2, 4500, 0x1002)
    question, answer = (
        with_ports(5000, 53, source=LAPTOP, destination=SUZY),
        with_ports(53, 5000, source=SUZY, destination=LAPTOP),
    )
    assert server.sends_to(answer) == (NAT_1, 61000)
    assert server.receive(NAT_1, 61000, 0x1001, question) == [Deliver(question, 0x1001)]
    assert server.receive(NAT_2, 4500, 0x1002, question) == []
    assert server.drops == [DropReason.NO_SA]


def test_where_conflicts_are_allowed_they_are_told_and_the_newer_one_takes_what_leaves():
    server = Server(refuses_conflicts=False)
    server.meet("ari", NAT_1, 61000, 0x1001)
    assert server.meet("bob", NAT_2, 4500, 0x1002) == []
    assert [(event.direction, event.is_refused) for event in server.conflicts] == [
        ("in", False),
        ("out", False),
    ]
    assert server.sends_to(with_ports(53, 5000, source=SUZY, destination=LAPTOP)) == (NAT_2, 4500)


def test_laptops_with_addresses_of_their_own_do_not_conflict():
    server = Server({"clients": Selector.between(Prefix.parse("10.9.0.0/24"), Prefix.parse("10.1.0.0/16"))})
    for number, nat in enumerate((NAT_1, NAT_2)):
        own = Selector.between(Prefix.parse("10.9.0.0/24"), Prefix.parse(f"10.1.2.{number}/32"))
        assert server.meet(f"laptop {number}", nat, 4500, 0x1001 + number, own) == []
    assert server.conflicts == []


def test_a_peer_is_no_other_peer_when_it_has_new_keys_or_a_new_way_to_us():
    server = Server()
    for spi, nat, port in ((0x1001, NAT_1, 61000), (0x1002, NAT_1, 61000), (0x1003, NAT_2, 4500)):
        server.meet("ari", nat, port, spi)
    assert server.conflicts == []
    assert server.sends_to(with_ports(53, 5000, source=SUZY, destination=LAPTOP)) == (NAT_2, 4500)


def test_peers_without_names_are_told_apart_by_address_and_port():
    server = Server()
    server.meet("", NAT_1, 61000, 0x1001)
    server.meet("", NAT_1, 61000, 0x1002)
    assert server.conflicts == []
    server.meet("", NAT_1, 61001, 0x1003)
    assert not server.has(0x1003)


def test_without_udp_it_is_no_matter_of_nats():
    server = Server()
    server.meet("ari", NAT_1, 61000, 0x1001)
    server.meet("east", NAT_2, 4500, 0x1002, udp_ports=None)
    assert server.conflicts == []


def test_once_the_first_has_gone_the_second_may_come():
    server = Server()
    server.meet("ari", NAT_1, 61000, 0x1001)
    for direction in Direction:
        server.engine.remove(direction, 0x1001)
    assert server.meet("bob", NAT_2, 4500, 0x1002) == []
    assert server.has(0x1002)


# -- rules of their own ------------------------------------------------------------------------------


def test_a_rule_of_its_own_does_not_help_when_nothing_is_left_for_it():
    server = Server({"ari": BEHIND_LAPTOP, "bob": BEHIND_LAPTOP})
    server.meet("ari", NAT_1, 4500, 0x1001, policy="ari")
    server.meet("bob", NAT_2, 4500, 0x1002, policy="bob")
    assert not server.has(0x1002)


@pytest.mark.parametrize("order", [("branch", "everything"), ("everything", "branch")])
def test_a_narrow_rule_before_a_wide_one_is_meant_so(order):
    rules = {
        "branch": Selector.between(Prefix.parse("10.9.0.0/24"), Prefix.parse("10.1.0.0/16")),
        "everything": Selector.between(Prefix.parse("10.9.0.0/24"), Prefix.parse("0.0.0.0/0")),
    }
    server = Server(rules)
    for number, name in enumerate(order):
        server.meet(name, (NAT_1, NAT_2)[number], 4500, 0x1001 + number, rules[name], policy=name)
    assert server.conflicts == []


# -- transport mode ----------------------------------------------------------------------------------


@pytest.mark.conf("UDP-09")
def test_of_two_clients_of_one_nat_that_want_all_traffic_the_second_is_refused():
    server = Server({"clients": to_nat()})
    server.meet("ari", NAT_1, 61000, 0x1001, to_nat(), mode=Mode.TRANSPORT)
    refusal = server.meet("bob", NAT_1, 61001, 0x1002, to_nat(), mode=Mode.TRANSPORT)
    assert refusal == [SaRefused(NAT_1, 0x1002)]
    assert server.conflicts[0].mode == "transport"
    assert server.sends_to(with_ports(53, 5000, source=SERVER, destination=NAT_1)) == (NAT_1, 61000)
    question = with_ports(5000, 53, source=LAPTOP, destination=SERVER)
    (delivered,) = server.receive(NAT_1, 61000, 0x1001, question, Mode.TRANSPORT)
    assert ip.addresses(delivered.packet) == (NAT_1, SERVER)
    assert server.receive(NAT_1, 61001, 0x1002, question, Mode.TRANSPORT) == []
    assert server.drops == [DropReason.NO_SA]


@pytest.mark.conf("UDP-09")
@pytest.mark.parametrize(
    ("aris", "bobs"),
    [
        (to_nat(protocol=IpProtocol.UDP), to_nat(protocol=IpProtocol.TCP)),
        (to_nat(protocol=6, local_ports=(80, 80)), to_nat(protocol=6, local_ports=(443, 443))),
        (to_nat(protocol=17, remote_ports=(1, 999)), to_nat(protocol=17, remote_ports=(1000, 1000))),
        (to_nat(protocol=17, remote_ports=(1, 999)), to_nat(protocol=17, remote_ports=OPAQUE_PORT)),
        (to_nat(NAT_1), to_nat(NAT_2)),
    ],
)
def test_clients_whose_traffic_does_not_overlap_are_served_side_by_side(aris, bobs):
    server = Server({"clients": to_nat(), "others": to_nat(NAT_2)})
    server.meet("ari", aris.remote[0], 61000, 0x1001, aris, mode=Mode.TRANSPORT)
    server.meet("bob", bobs.remote[0], 61001, 0x1002, bobs, mode=Mode.TRANSPORT)
    assert server.conflicts == []
    assert server.has(0x1001)
    assert server.has(0x1002)


@pytest.mark.parametrize(
    ("aris", "bobs"),
    [
        (to_nat(protocol=IpProtocol.UDP), to_nat()),
        (to_nat(protocol=6, local_ports=(80, 90)), to_nat(protocol=6, local_ports=(90, 443))),
        (to_nat(protocol=17), to_nat(protocol=17, remote_ports=OPAQUE_PORT)),
    ],
)
def test_one_packet_that_both_might_mean_is_enough(aris, bobs):
    for first, second in ((aris, bobs), (bobs, aris)):
        server = Server({"clients": to_nat()})
        server.meet("ari", NAT_1, 61000, 0x1001, first, mode=Mode.TRANSPORT)
        server.meet("bob", NAT_1, 61001, 0x1002, second, mode=Mode.TRANSPORT)
        assert not server.has(0x1002)


def test_an_sa_tells_whose_it_is():
    server = Server()
    server.meet("ari", NAT_1, 61000, 0x1001)
    assert {describe(sa).peer for sa in server.engine.sad.all()} == {"ari"}
