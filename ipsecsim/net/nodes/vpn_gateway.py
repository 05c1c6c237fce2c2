"""A VPN gateway: a router with the IPsec boundary across its path and IKE on ports 500 and 4500 (RFC 4301 4.1)."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Duration
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ike.config import Connection, StartAction
from ipsecsim.ike.credentials import Credentials
from ipsecsim.ike.endpoint import IkeEndpoint
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ipsec.actions import (
    Complaint,
    Deliver,
    ReportError,
    ReportWayward,
    SendDatagram,
    SendPacket,
)
from ipsecsim.ipsec.association import SaParameters
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.icmp_rules import quoted_protection
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.settings import Settings
from ipsecsim.net.link import Link
from ipsecsim.net.node import Node
from ipsecsim.net.nodes import ike_ports
from ipsecsim.net.nodes.engines import between
from ipsecsim.net.nodes.host import DISCARD_PORT
from ipsecsim.net.nodes.keepalives import INTERVAL, Keepalives
from ipsecsim.net.simulator import Simulator
from ipsecsim.stack import icmp
from ipsecsim.stack.actions import DatagramArrived, IcmpErrorArrived, PacketArrived
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.events import PacketFragmented
from ipsecsim.stack.fragments import fragment
from ipsecsim.stack.icmp import Problem
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.path import Hook, Passage, Verdict
from ipsecsim.wire import ip, udp
from ipsecsim.wire.nat_t import Encapsulated, classify
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol

MOST_NESTED = 8
"""How often one packet may come out of its protection; a peer can put thousands of ESP packets into each other."""

_SECURITY = (IpProtocol.ESP, IpProtocol.AH)
_PROBLEMS = {
    Complaint.TOO_BIG: Problem.TOO_BIG,
    Complaint.PROHIBITED: Problem.PROHIBITED,
    Complaint.UNREACHABLE: Problem.UNREACHABLE,
}
_NAT_T = NAT_T_PORT.to_bytes(2, "big")


class VpnGateway(Node):
    """`unprotected` names the interfaces on the far side of the boundary, where only policy lets packets pass.

    `manual` are SAs whose keys came by hand, `keepalive` is the interval of NAT keepalives, 0 for none.
    """

    forwards = True

    def __init__(
        self,
        name: str,
        simulator: Simulator,
        interfaces: list[tuple[Interface, Link]],
        *,
        forwards: bool = True,
        unprotected: Sequence[str],
        policies: Sequence[Policy],
        connections: Sequence[Connection],
        credentials: Credentials,
        manual: Sequence[SaParameters] = (),
        settings: Settings = Settings(),  # noqa: B008 - it never changes
        keepalive: Duration = INTERVAL,
    ) -> None:
        super().__init__(name, simulator, interfaces)
        self.stack.forwards = forwards  # a host may have IPsec too, and forwards nothing
        if not forwards:
            self.stack.ports.add(DISCARD_PORT)
        self.unprotected = frozenset(unprotected)
        self._nesting = 0  # how many packets the present one was in, or is in
        self.ipsec = IpsecEngine(policies, self.tap, _Surroundings(self.stack), settings)
        self.ike = IkeEndpoint(
            connections,
            credentials,
            self.entropy.fork("ike"),
            self.tap,
            tells_strangers=settings.reports_wayward,
            last_used=self.ipsec.last_used,
            addresses=self._addresses_outside(),
        )
        self._keepalives = Keepalives(self.ike, keepalive)
        self._engines += [self.ipsec, self.ike, self._keepalives]
        self.manual = manual
        self.stack.ports |= {IKE_PORT, NAT_T_PORT}
        self.stack.protocols |= {IpProtocol.ESP, IpProtocol.AH}
        self.stack.hooks.add(Hook.POSTROUTING, self._outbound)
        self.stack.hooks.add(Hook.INPUT, self._inbound_clear)
        self.stack.hooks.add(Hook.FORWARD, self._inbound_clear)
        self._performers |= between(self.ike, self.ipsec, self.stack, lambda: simulator.now)
        self._performers |= {
            SendDatagram: self._send_datagram,
            SendPacket: self._send_packet,
            Deliver: self._deliver,
            ReportError: self._report_error,
            ReportWayward: self._report_wayward,
            IcmpErrorArrived: self._icmp_error_arrived,
        }

    @property
    def has_something_to_start(self) -> bool:
        """Is there something for `start` to do?"""
        return bool(self.manual) or any(
            child.start_action is StartAction.START
            for connection in self.ike.connections
            for child in connection.children
        )

    def start(self) -> None:
        """Install the SAs by hand, and bring up the children that are to be up from the start."""
        for parameters in self.manual:
            self.perform(self.ipsec.install(parameters, self.simulator.now))
        for connection in self.ike.connections:
            for child in connection.children:
                if child.start_action is StartAction.START:
                    self.initiate(child.policy)

    def initiate(self, policy: str) -> None:
        """Bring up the child that serves an SPD rule."""
        self.perform(self.ike.initiate(policy, self.simulator.now))

    def terminate(self, policy: str) -> None:
        """Take down the child that serves an SPD rule, and its IKE SA."""
        self.perform(self.ike.terminate(policy, self.simulator.now))

    def rekey(self, policy: str) -> None:
        """Give the child that serves an SPD rule new keys."""
        self.perform(self.ike.rekey(policy, self.simulator.now))

    def rekey_ike(self, policy: str) -> None:
        """Replace the IKE SA that carries the child that serves an SPD rule."""
        self.perform(self.ike.rekey_ike(policy, self.simulator.now))

    def reauthenticate(self, policy: str) -> None:
        """Let both ends of the IKE SA that carries a child prove anew who they are."""
        self.perform(self.ike.reauthenticate(policy, self.simulator.now))

    def crash(self) -> None:
        """Every SA is lost, and so is every packet that waited for one."""
        self.ipsec.forget(DropReason.NODE_DOWN)
        self.perform(self.ike.forget())
        super().crash()

    def start_again(self) -> None:
        """Come up, and do what is to be done at the start."""
        super().start_again()
        self.start()

    def flush(self) -> None:
        """Every SA is gone, and no peer is told."""
        super().flush()
        self.perform(self.ike.forget())
        self.ipsec.forget(DropReason.NO_SA_YET)

    def readdress(self, name: str, new: bytes) -> None:
        """What its own address may do in clear, such as IKE, the new one may do."""
        old = self.stack.interfaces[name].address_like(new)
        rules = self.ipsec.spd.policies
        self.ipsec.spd.replace([_readdressed(each, old, new) for each in rules])
        super().readdress(name, new)

    def is_quiet(self) -> bool:
        """No handshake or deletion is under way, and no packet waits."""
        return super().is_quiet() and not self.ipsec.held and not self.ike.is_busy

    def _addresses_outside(self) -> list[bytes]:
        """The addresses that IKE may use: those on the far side of the boundary."""
        outside = (each for name, each in self.stack.interfaces.items() if name in self.unprotected)
        return [address.packed for each in outside if each.up for address in each.addresses]

    @property
    def roaming_interfaces(self) -> list[str]:
        """Those on the far side of the boundary."""
        return [name for name in self.stack.interfaces if name in self.unprotected]

    def interfaces_changed(self, preferred: bytes | None) -> None:
        """IKE follows, with MOBIKE or in its own way."""
        addresses = self._addresses_outside()
        self.perform(self.ike.addresses_changed(addresses, self.simulator.now, preferred=preferred))

    # -- the boundary ---------------------------------------------------------------------------

    def _outbound(self, packet: bytes, passage: Passage) -> Verdict:
        """A packet is about to leave: across the boundary only by policy."""
        if passage.exempt or passage.outbound not in self.unprotected:
            return packet
        if self._nesting > MOST_NESTED:
            self._drop(DropReason.ENCAP_LOOP, packet)
            return []
        taken = self.ipsec.outbound(packet, self.simulator.now)
        return packet if taken is None else taken

    def _inbound_clear(self, packet: bytes, passage: Passage) -> Verdict:
        """A packet came across the boundary without protection. ESP, in UDP too, and AH are judged by their SA."""
        if passage.decapsulated or passage.inbound not in self.unprotected:
            return packet
        if ip.destination(packet) in self.stack.addresses:
            if _is_protected(packet):
                return packet if self.ipsec.inbound_bare(packet) else []
            is_believed = self.ipsec.inbound_error(packet)
            if is_believed is not None:
                return packet if is_believed else []
        return packet if self.ipsec.inbound_clear(packet, self.simulator.now) else []

    # -- actions --------------------------------------------------------------------------------

    def _datagram_arrived(self, action: DatagramArrived) -> list[Action] | None:
        if action.destination_port not in (IKE_PORT, NAT_T_PORT):
            return super()._datagram_arrived(action)
        path = Path(action.destination, action.destination_port, action.source, action.source_port)
        now = self.simulator.now
        return ike_ports.receive(self.ike, self.ipsec, path, action.packet, action.payload, now, self.tap)

    def _packet_arrived(self, action: PacketArrived) -> list[Action] | None:
        return self.ipsec.inbound(action.protocol, action.packet, action.offset, self.simulator.now)

    def _send_datagram(self, action: SendDatagram) -> list[Action]:
        path = Path(action.source, action.source_port, action.destination, action.destination_port)
        self._keepalives.sent(path, self.simulator.now)
        return self.stack.send_datagram(
            action.source,
            action.source_port,
            action.destination,
            action.destination_port,
            action.payload,
            tos=action.tos,
            dont_fragment=action.dont_fragment,
            checksum=action.checksum,
            exempt=action.sealed,  # IKE asks policy like any other packet (RFC 4301 4.4.1)
        )

    def _send_packet(self, action: SendPacket) -> list[Action] | None:
        if action.udp_ports is not None:
            (source, destination), (port, peer_port) = ip.addresses(action.packet), action.udp_ports
            self._keepalives.sent(Path(source, port, destination, peer_port), self.simulator.now)
        if not self.ipsec.protects_again(action.packet):
            return self.stack.send_packet(action.packet, exempt=True)
        self._nest(lambda: self.stack.send_packet(action.packet, exempt=False))
        return None

    def _deliver(self, action: Deliver) -> None:
        if self._nesting >= MOST_NESTED:
            self._drop(DropReason.ENCAP_LOOP, action.packet)
            return
        self._nest(lambda: self.stack.receive_decapsulated(action.packet, self.simulator.now))

    def _nest(self, work: Callable[[], list[Action]]) -> None:
        """Go on with a packet that was in another one or will be, and count that while it lasts."""
        self._nesting += 1
        self.perform(work())
        self._nesting -= 1

    def _report_error(self, action: ReportError) -> list[Action]:
        problem = _PROBLEMS[action.complaint]
        now, may_cut = self.simulator.now, action.takes_fragments
        return self.stack.report_error(action.packet, problem, now, mtu=action.mtu, may_cut=may_cut)

    def _report_wayward(self, action: ReportWayward) -> list[Action]:
        now, packet = self.simulator.now, action.packet
        if action.inner is not None:
            return self.ike.wrong_selectors(action.protocol, action.spi, action.inner, now)
        path, length = _way_back(packet)
        return self.ike.unknown_spi(action.spi, path, length, now)

    def _icmp_error_arrived(self, action: IcmpErrorArrived) -> list[Action]:
        error, now = action.error, self.simulator.now
        following = super()._icmp_error_arrived(action)
        too_big = icmp.is_too_big(error)
        if too_big:
            self.ipsec.packet_too_big(error.quoted, error.mtu, now)
        if (too_big or icmp.is_unreachable(error)) and action.source not in self.stack.addresses:
            peer = self._asked_for(error.quoted)
            following += [] if peer is None else self.ike.path_hint(peer, now, error.mtu if too_big else 0)
        return following

    def _asked_for(self, quoted: bytes) -> bytes | None:
        """Where this node sent the IKE, ESP or AH that an error quotes; None when it quotes anything else."""
        about = quoted_protection(quoted)
        if about is None or about.source not in self.stack.addresses:
            return None
        if about.udp_ports is not None and not {IKE_PORT, NAT_T_PORT} & set(about.udp_ports):
            return None
        return about.destination

    def _drop(self, reason: DropReason, packet: bytes) -> None:
        if self.tap is not None:
            self.tap(PacketDropped(reason, packet))


class _Surroundings:
    """The node's IP stack, as the IPsec engine wants to see it."""

    def __init__(self, stack: HostStack) -> None:
        self._stack = stack
        self.fresh_identification = stack.fresh_identification
        self.mtu_towards = stack.mtu_towards

    def cut(self, packet: bytes, mtu: int) -> list[bytes]:
        """The fragments of an IPv4 packet. Raises RemoteError (TOO_BIG)."""
        pieces = fragment(packet, mtu)
        if self._stack.tap is not None:
            self._stack.tap(PacketFragmented(len(pieces), mtu, ip.version(packet)))
        return pieces


def _way_back(packet: bytes) -> tuple[Path, int]:
    """To whoever sent ESP or AH, to the port where it was in UDP (RFC 7296 1.5); and how long it was, UDP apart."""
    protocol, start = ip.upper_layer(packet)
    source_port = destination_port = IKE_PORT
    if protocol == IpProtocol.UDP:
        source_port, destination_port, _ = udp.parse(packet[start:])
    path = Path(ip.destination(packet), destination_port, ip.source(packet), source_port)
    return path, len(packet) - start - udp.HEADER_LENGTH


def _readdressed(policy: Policy, old: bytes | None, new: bytes) -> Policy:
    """A BYPASS rule for one address, for another one; all else stays: what is protected was agreed upon."""
    if policy.action is not PolicyAction.BYPASS:
        return policy
    rows = (
        replace(each, local=(new, new)) if each.local == (old, old) else each for each in policy.selectors
    )
    return replace(policy, selectors=tuple(rows))


def _is_protected(packet: bytes) -> bool:
    """Is it ESP or AH, or ESP in UDP?"""
    protocol, start = ip.upper_layer(packet)
    if protocol in _SECURITY:
        return True
    if protocol != IpProtocol.UDP or packet[start + 2 : start + 4] != _NAT_T or not ip.is_whole(packet):
        return False
    try:
        return classify(packet[start + udp.HEADER_LENGTH :]) is Encapsulated.ENCAPSULATED_ESP
    except RemoteError:
        return False
