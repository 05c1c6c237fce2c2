"""Our side of the wire: the simulator's own gateway, with SAs set by hand, and a host on the site behind it."""

import socket
from collections.abc import Callable
from functools import partial

from ipsecsim.base.actions import Action
from ipsecsim.base.address import Prefix
from ipsecsim.ike.config import ChildConfig, Connection, StartAction
from ipsecsim.ike.credentials import Credentials, SharedSecret
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ipsec.association import Direction, Mode, SaParameters
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import ANY_PROTOCOL, LAST_PORT, Selector
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.host import Host
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario.swanctl.parse import ah_proposal, esp_proposal, ike_proposal
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.routes import Route
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol
from tests.interop.kernel import addresses, charon, xfrm
from tests.interop.kernel.case import ITS_SPI, OUR_SPI, Case, IkeCase
from tests.interop.kernel.wire import Wire

POLICY = "kernel"


class OurSide:
    """`speaker` is who pings and is pinged: the host in tunnel mode, the gateway itself in transport mode."""

    def __init__(self, case: Case, frames: socket.socket) -> None:
        self.case = case
        self.recorder = Recorder()
        self.simulator = Simulator(case.key, self.recorder.tell)
        self.wire = Wire(self.simulator, frames)
        outer, inner, tunnelled = case.outer, case.inner, case.mode is Mode.TUNNEL
        interfaces: list[tuple[Interface, Link]] = [
            (Interface("outer", addresses.OUR_GATEWAY[outer], addresses.LENGTH[outer]), self.wire)
        ]
        lan = Link("lan", self.simulator, LinkOptions())
        if tunnelled:
            interfaces.append((self._on_site(addresses.OUR_ROUTER[inner]), lan))
        self.gateway = VpnGateway(
            "ours",
            self.simulator,
            interfaces,
            forwards=tunnelled,
            unprotected=["outer"],
            policies=[
                # IKE, and ESP in UDP, must not fall under the policy that they serve
                Policy(
                    "ike",
                    PolicyAction.BYPASS,
                    tuple(self._between_gateways(IpProtocol.UDP, port) for port in (IKE_PORT, NAT_T_PORT)),
                ),
                Policy(POLICY, PolicyAction.PROTECT, (self._selector(),)),
            ],
            connections=[connection(case)] if isinstance(case, IkeCase) else [],
            credentials=Credentials([SharedSecret("ike", charon.SECRET.encode())]),
        )
        self.speaker: Node = self.gateway
        if tunnelled:
            self.gateway.add_route(Route(addresses.ITS_SITE[inner], None, "outer"))
            self.speaker = Host("host", self.simulator, [(self._on_site(addresses.OUR_HOST[inner]), lan)])
            self.speaker.add_route(Route(addresses.EVERYWHERE[inner], addresses.OUR_ROUTER[inner], "lan"))
        if isinstance(case, IkeCase):
            return
        for direction, spi in ((Direction.INBOUND, ITS_SPI), (Direction.OUTBOUND, OUR_SPI)):
            parameters = self._parameters(direction, spi)
            self.do(self.gateway, partial(self.gateway.ipsec.install, parameters, 0))

    @property
    def our_end(self) -> bytes:
        """The address of the speaker."""
        return self.speaker.address

    @property
    def its_end(self) -> bytes:
        """The address of whom it speaks to."""
        place = addresses.ITS_HOST if self.case.mode is Mode.TUNNEL else addresses.ITS_GATEWAY
        return place[self.case.inner]

    def do(self, node: Node, work: Callable[[], list[Action] | None]) -> None:
        """Let a node of ours do something now, in a turn of its own, and all that follows."""
        self.simulator.plan(self.wire.clock(), node, lambda: node.perform(work() or []))
        while self.simulator.planned:
            self.simulator.step()

    def _on_site(self, address: bytes) -> Interface:
        return Interface("lan", address, addresses.LENGTH[self.case.inner], self.case.site_mtu)

    def _selector(self) -> Selector:
        if self.case.mode is Mode.TUNNEL:
            return Selector.between(addresses.OUR_SITE[self.case.inner], addresses.ITS_SITE[self.case.inner])
        return self._between_gateways()

    def _between_gateways(self, protocol: int = ANY_PROTOCOL, port: int | None = None) -> Selector:
        ours, its = addresses.OUR_GATEWAY[self.case.outer], addresses.ITS_GATEWAY[self.case.outer]
        ports = (0, LAST_PORT) if port is None else (port, port)
        return Selector((ours, ours), (its, its), protocol, ports, ports)

    def _parameters(self, direction: Direction, spi: int) -> SaParameters:
        case = self.case
        ends = addresses.OUR_GATEWAY[case.outer], addresses.ITS_GATEWAY[case.outer]
        source, destination = ends if direction is Direction.OUTBOUND else ends[::-1]
        encryption_key, integrity_key = case.keys(spi)
        return SaParameters(
            direction,
            spi,
            source,
            destination,
            case.algorithms,
            encryption_key,
            integrity_key,
            (self._selector(),),
            POLICY,
            case.mode,
            xfrm.REPLAY_WINDOW,
            (NAT_T_PORT, NAT_T_PORT) if case.in_udp else None,
            extended_sequence=case.esn,
            sequence=case.sequence,
            fragment_first=case.fragment_first,
            # Linux pads AH to 8 bytes over IPv4, too, unless it is told otherwise
            ah_alignment=4 if case.rfc_alignment else 8,
        )


def connection(case: IkeCase) -> Connection:
    """Our half of what `charon.config` says."""
    ours, its = (traffic_selector(Prefix.parse(words)) for words in charon.ends(case))
    proposal = ah_proposal if case.protocol is IpProtocol.AH else esp_proposal
    child = ChildConfig(
        charon.NAME,
        (ours,),
        (its,),
        (proposal(case.proposal),),
        policy=POLICY,
        start_action=StartAction.NONE,
        mode=case.mode,
    )
    return Connection(
        charon.NAME,
        addresses.OUR_GATEWAY[case.outer],
        addresses.ITS_GATEWAY[case.outer],
        Identity.from_text(charon.OUR_ID),
        Identity.from_text(charon.ITS_ID),
        (ike_proposal(charon.IKE),),
        (child,),
        encap=case.in_udp,
    )
