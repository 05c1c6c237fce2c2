"""Small worlds made by hand, so that tests of one layer need no topology file."""

from dataclasses import dataclass

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.instant import MILLISECOND, Duration, Instant, ms
from ipsecsim.ike.config import ChildConfig, Connection, StartAction
from ipsecsim.ike.credentials import Credentials, SharedSecret
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.narrowing import to_selectors, traffic_selector
from ipsecsim.ipsec.options import SaOptions
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.populate import Part
from ipsecsim.ipsec.selector import Selector
from ipsecsim.ipsec.settings import Settings
from ipsecsim.net.application import Result
from ipsecsim.net.apps.ping import Ping
from ipsecsim.net.apps.send import Send
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.host import Host
from ipsecsim.net.nodes.router import Router
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario.swanctl.parse import esp_proposal, ike_proposal
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.routes import Route
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol

DEFAULT_ROUTE = Prefix(bytes(4), 0)
_EVERYTHING = {4: DEFAULT_ROUTE, 6: Prefix(bytes(16), 0)}
_IKE = tuple(
    Selector(
        (everything.first, everything.last), (everything.first, everything.last), IpProtocol.UDP, (port, port)
    )
    for everything in _EVERYTHING.values()
    for port in (IKE_PORT, NAT_T_PORT)
)
_LAN_A, _LAN_B = {4: "10.1.0.{}/24", 6: "fd00:10:1::{}/64"}, {4: "10.2.0.{}/24", 6: "fd00:10:2::{}/64"}
_WEST, _EAST = {4: "192.0.2.{}/24", 6: "2001:db8:1::{}/64"}, {4: "198.51.100.{}/24", 6: "2001:db8:2::{}/64"}


@dataclass(slots=True)
class World:
    """A world with its recording. `run` plays what was planned until all is quiet."""

    simulator: Simulator
    recorder: Recorder

    @property
    def nodes(self) -> dict[str, Node]:
        return self.simulator.nodes

    def gateway(self, name: str) -> VpnGateway:
        node = self.nodes[name]
        assert isinstance(node, VpnGateway)
        return node

    def ping(self, source: str, to: str, *, at: Instant = 0, **options: int) -> Result:
        """Plan a ping; the result fills as the world runs."""
        node, destination = self.nodes[source], self.nodes[to].address
        result = Result()

        def work() -> None:
            application = Ping(node, destination, name=f"{source} to {to}", **options)  # type: ignore[arg-type]
            application.result = result
            node.run(application)

        self.simulator.plan(at, node, work)
        return result

    def send(self, source: str, to: str, *, at: Instant = 0, **options: int) -> None:
        """Plan a UDP datagram."""
        node, destination = self.nodes[source], self.nodes[to].address
        self.simulator.plan(at, node, lambda: node.run(Send(node, destination, **options)))  # type: ignore[arg-type]

    def initiate(self, gateway: str, *, at: Instant = 0, policy: str = "net") -> None:
        """Plan that a gateway brings its tunnel up."""
        node = self.gateway(gateway)
        self.simulator.plan(at, node, lambda: node.initiate(policy))

    def terminate(self, gateway: str, *, at: Instant = 0, policy: str = "net") -> None:
        """Plan that a gateway takes its tunnel down."""
        node = self.gateway(gateway)
        self.simulator.plan(at, node, lambda: node.terminate(policy))

    def run(self, most_turns: int = 10_000) -> "World":
        """Run until nothing is left to do."""
        for _ in range(most_turns):
            if not self.simulator.step():
                return self
        raise AssertionError(f"still not quiet after {most_turns} turns")


def two_gateways(
    *,
    seed: str = "two gateways",
    ike: str = "aes256gcm16-prfsha256-x25519",
    esp: str = "aes256gcm16",
    psk_west: bytes = b"a secret",
    psk_east: bytes = b"a secret",
    encap: bool = False,
    start_action: StartAction = StartAction.TRAP,
    wan_mtu: int = 1500,
    wan_rate: int | None = None,
    wan_queue: int = 1000,
    replay_window: int = 32,
    observed: bool = True,
    inner: int = 4,
    outer: int = 4,
    settings: Settings | None = None,
    from_packet: frozenset[Part] = frozenset(),
) -> World:
    """The smallest site-to-site VPN.

        a 10.1.0.2 -- 10.1.0.1 west 192.0.2.1 -- 192.0.2.2 internet
        internet 198.51.100.1 -- 198.51.100.2 east 10.2.0.1 -- 10.2.0.2 b

    With `inner` 6 the LANs are fd00:10:1::/64 and fd00:10:2::/64, with `outer` 6 the links between the gateways
    are 2001:db8:1::/64 and 2001:db8:2::/64; the last numbers stay. Links are `lan_a`, `wan_west`, `wan_east` and
    `lan_b`; `wan_...` options are for `wan_east`. The SPD rule and the child of both gateways are called `net`.
    """
    recorder = Recorder()
    simulator = Simulator(seed, recorder.tell if observed else None)
    delay = 5 * MILLISECOND
    _link(simulator, "lan_a", ms(0.1))
    _link(simulator, "wan_west", delay)
    _link(simulator, "wan_east", delay, wan_mtu, wan_rate, wan_queue)
    _link(simulator, "lan_b", ms(0.1))

    lan_a, lan_b, wan_west, wan_east = _LAN_A[inner], _LAN_B[inner], _WEST[outer], _EAST[outer]
    a = Host("a", simulator, [_end(simulator, "lan_a", "eth0", lan_a.format(2))])
    west = _gateway(
        simulator,
        "west",
        ("lan_a", lan_a.format(1)),
        ("wan_west", wan_west.format(1)),
        peer=("east", _address(wan_east, 2)),
        networks=(_network(lan_a), _network(lan_b)),
        ike=ike,
        esp=esp,
        psk=psk_west,
        encap=encap,
        start_action=start_action,
        replay_window=replay_window,
        settings=settings or Settings(),
        from_packet=from_packet,
    )
    Router(
        "internet",
        simulator,
        [
            _end(simulator, "wan_west", "eth0", wan_west.format(2)),
            _end(simulator, "wan_east", "eth1", wan_east.format(1)),
        ],
    )
    east = _gateway(
        simulator,
        "east",
        ("lan_b", lan_b.format(1)),
        ("wan_east", wan_east.format(2)),
        peer=("west", _address(wan_west, 1)),
        networks=(_network(lan_b), _network(lan_a)),
        ike=ike,
        esp=esp,
        psk=psk_east,
        encap=encap,
        start_action=StartAction.TRAP,
        replay_window=replay_window,
        settings=settings or Settings(),
        from_packet=from_packet,
    )
    b = Host("b", simulator, [_end(simulator, "lan_b", "eth0", lan_b.format(2))])
    a.add_route(Route(_EVERYTHING[inner], pack(_address(lan_a, 1)), "eth0"))
    b.add_route(Route(_EVERYTHING[inner], pack(_address(lan_b, 1)), "eth0"))
    for version in dict.fromkeys((inner, outer)):  # what is to be sealed needs a way out too
        west.add_route(Route(_EVERYTHING[version], pack(_address(wan_west, 2)), "wan"))
        east.add_route(Route(_EVERYTHING[version], pack(_address(wan_east, 1)), "wan"))
    if west.has_something_to_start:
        simulator.plan(0, west, west.start, stimulus="start")
    return World(simulator, recorder)


def _gateway(
    simulator: Simulator,
    name: str,
    lan: tuple[str, str],
    wan: tuple[str, str],
    *,
    peer: tuple[str, str],
    networks: tuple[Prefix, Prefix],
    ike: str,
    esp: str,
    psk: bytes,
    encap: bool,
    start_action: StartAction,
    replay_window: int,
    settings: Settings,
    from_packet: frozenset[Part],
) -> VpnGateway:
    local, remote = networks
    child = ChildConfig(
        "net",
        (traffic_selector(local),),
        (traffic_selector(remote),),
        (esp_proposal(esp),),
        "net",
        start_action,
        SaOptions(replay_window=replay_window),
        from_packet=from_packet,
    )
    connection = Connection(
        f"to {peer[0]}",
        pack(wan[1].split("/")[0]),
        pack(peer[1]),
        Identity.from_text(f"{name}.example"),
        Identity.from_text(f"{peer[0]}.example"),
        (ike_proposal(ike),),
        (child,),
        encap=encap,
    )
    protect = Policy(
        "net", PolicyAction.PROTECT, to_selectors(child.local_ts, child.remote_ts), from_packet=from_packet
    )
    return VpnGateway(
        name,
        simulator,
        [_end(simulator, lan[0], "lan", lan[1]), _end(simulator, wan[0], "wan", wan[1])],
        unprotected=["wan"],
        policies=[Policy("ike", PolicyAction.BYPASS, _IKE), protect],
        connections=[connection],
        credentials=Credentials([SharedSecret("ike", psk)]),
        settings=settings,
    )


def _link(
    simulator: Simulator,
    name: str,
    delay: Duration,
    mtu: int = 1500,
    rate: int | None = None,
    queue_packets: int = 1000,
) -> None:
    options = LinkOptions(delay=delay, mtu=mtu, rate=rate, queue_packets=queue_packets)
    simulator.links[name] = Link(name, simulator, options)


def _end(simulator: Simulator, link: str, interface: str, address: str) -> tuple[Interface, Link]:
    text, length = address.split("/")
    there = simulator.links[link]
    return Interface(interface, pack(text), int(length), there.options.mtu), there


def _address(plan: str, number: int) -> str:
    return plan.format(number).split("/")[0]


def _network(plan: str) -> Prefix:
    return Prefix.parse(plan.format("" if ":" in plan else 0))
