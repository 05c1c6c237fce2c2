"""A VPN gateway on real sockets: one outer address, a few inner ones, and ping as its only traffic.

It is no VPN: there is no TUN device, nothing is forwarded, and what comes out of a tunnel meets our own
IP stack and nothing else.
"""

from asyncio import sleep
from collections.abc import Collection, Sequence
from itertools import product
from types import TracebackType

from ipsecsim.base.actions import Action
from ipsecsim.base.address import Prefix, unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import SECOND, Duration, Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.emulation.driver import Driver
from ipsecsim.emulation.system_entropy import SystemEntropy
from ipsecsim.emulation.udp_port import USUAL_PORTS, Arrived, PortPlan, UdpPort
from ipsecsim.ike.config import Connection, HalfOpenLimits
from ipsecsim.ike.credentials import Credentials
from ipsecsim.ike.endpoint import IkeEndpoint
from ipsecsim.ike.narrowing import to_selectors
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ipsec.actions import Deliver, ReportError, SendDatagram
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.net.events import (
    EchoReplyMissed,
    EchoReplyReceived,
    EchoRequestSent,
    FrameArrived,
    FrameSent,
)
from ipsecsim.net.nodes import ike_ports
from ipsecsim.net.nodes.engines import between
from ipsecsim.net.turn import Observer
from ipsecsim.stack import icmp
from ipsecsim.stack.actions import EchoReplyArrived, IcmpErrorArrived
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.interface import Address, Interface
from ipsecsim.stack.path import Hook, Passage, Verdict
from ipsecsim.stack.routes import Route
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol

RUN_TIME = 60 * SECOND
COOKIES_ALWAYS = HalfOpenLimits(cookie_threshold=0)  # no long answer to a false source address
LINK = "socket"  # what a recording calls the world outside
FIRST_MULTICAST = 224  # RFC 791 3.2: from here on an address is no single machine's
_LOOPBACK = Prefix(bytes([127, 0, 0, 0]), 8)
_EVERYWHERE = (Prefix(bytes(4), 0), Prefix(bytes(16), 0))
_INNER = "inner"


class Gateway:
    """Use it as an asynchronous context: the sockets are open inside.

    `connections` name the peers; nobody else is answered. All of them have the same local address, and
    `encap`, since there is no raw socket for plain ESP. A peer that is not on this machine's loopback
    must be named once more in `beyond_loopback`, packed, and so must every address that a peer may move to.
    After `run_time` all is closed, whatever goes on. Who begins must send back a cookie, unless `limits` says
    otherwise. `more_outer` are further outer addresses, to which IKE may move; `more_inner` further inner ones.
    `observer` is told everything, as by a simulated node.
    """

    def __init__(
        self,
        name: str,
        *,
        inner_address: bytes,
        connections: Sequence[Connection],
        credentials: Credentials,
        ports: PortPlan = USUAL_PORTS,
        peer_ports: PortPlan = USUAL_PORTS,
        beyond_loopback: Collection[bytes] = (),
        more_outer: Sequence[bytes] = (),
        more_inner: Sequence[bytes] = (),
        limits: HalfOpenLimits = COOKIES_ALWAYS,
        run_time: Duration = RUN_TIME,
        entropy: Entropy | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.name = name
        self.outer_address = _outer_address(connections, beyond_loopback)
        self.inner_address = inner_address
        self.driver = Driver(name, observer)
        self.ports = ports
        self.peer_ports = peer_ports
        self.outer_addresses = (self.outer_address, *more_outer)
        self.peers = frozenset(each.remote_address for each in connections) | frozenset(beyond_loopback)
        entropy = entropy or SystemEntropy()
        tap = self.driver.tap
        self.ipsec = IpsecEngine(_policies(connections), tap)
        self.ike = IkeEndpoint(
            connections,
            credentials,
            entropy.fork("ike"),
            tap,
            limits,
            last_used=self.ipsec.last_used,
            addresses=self.outer_addresses,
        )
        others = tuple(Address(each, 8 * len(each)) for each in more_inner)
        inner = Interface(_INNER, inner_address, 8 * len(inner_address), others=others)
        self.stack = HostStack([inner], entropy, forwards=False, tap=tap)
        for everywhere in _EVERYWHERE:
            self.stack.routes.add(Route(everywhere, None, _INNER))
        self.stack.hooks.add(Hook.POSTROUTING, self._into_the_tunnel)
        self.driver.engines += [self.stack, self.ipsec, self.ike]
        self.driver.performers |= between(self.ike, self.ipsec, self.stack, lambda: self.driver.now)
        self.driver.performers |= {
            SendDatagram: self._send_datagram,
            Deliver: lambda a: self.stack.receive_decapsulated(a.packet, self.driver.now),
            ReportError: lambda _: None,  # ping is never too long for a socket
            EchoReplyArrived: self._echo_reply_arrived,
            IcmpErrorArrived: lambda _: None,
        }
        self._run_time = run_time
        self._sockets: dict[tuple[bytes, int], UdpPort] = {}  # by address and the port that an engine names
        self._frames = 0
        self._identifier = int.from_bytes(entropy.fork("ping identifier").bytes(2), "big")
        self._sequence = 0
        self._waiting: dict[int, Instant] = {}
        self._round_trips: dict[int, Duration] = {}

    async def __aenter__(self) -> "Gateway":
        """Open two sockets for each outer address. Raises OSError when a port is not to be had."""
        try:
            for address, port in product(self.outer_addresses, (IKE_PORT, NAT_T_PORT)):
                self._sockets[address, port] = await UdpPort.open(
                    address, self.ports.real(port), self._arrival_on(address, port)
                )
        except OSError:
            await self._closed()
            raise
        self._end = self.driver.limit(self._run_time, self._close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close them. Nobody is told: a polite end is `terminate` before."""
        self._end.cancel()
        self.driver.stop()
        await self._closed()

    # -- what a person asks for -----------------------------------------------------------------

    def initiate(self, policy: str) -> None:
        """Begin to bring up the child that serves an SPD rule."""
        self.driver.turn("script", lambda: self.ike.initiate(policy, self.driver.now))

    def terminate(self, policy: str) -> None:
        """Begin to take down the child that serves an SPD rule, and its IKE SA."""
        self.driver.turn("script", lambda: self.ike.terminate(policy, self.driver.now))

    def terminate_child(self, policy: str) -> None:
        """Begin to take down the child that serves an SPD rule; its IKE SA stays."""
        self.driver.turn("script", lambda: self.ike.terminate_child(policy, self.driver.now))

    def rekey(self, policy: str) -> None:
        """Begin to give the child that serves an SPD rule new keys."""
        self.driver.turn("script", lambda: self.ike.rekey(policy, self.driver.now))

    def reauthenticate(self, policy: str) -> None:
        """Begin to let both ends of the IKE SA of a child prove anew who they are."""
        self.driver.turn("script", lambda: self.ike.reauthenticate(policy, self.driver.now))

    def rekey_ike(self, policy: str) -> None:
        """Begin to replace the IKE SA of the child that serves an SPD rule."""
        self.driver.turn("script", lambda: self.ike.rekey_ike(policy, self.driver.now))

    def synchronise(self, policy: str) -> None:
        """Begin to agree on message IDs anew, as after a failover (RFC 6311)."""
        self.driver.turn("script", lambda: self.ike.synchronise(policy, self.driver.now))

    def move(self, *addresses: bytes, preferred: bytes | None = None) -> None:
        """From now on only these of the outer addresses may be used."""
        self.driver.turn(
            "script", lambda: self.ike.addresses_changed(addresses, self.driver.now, preferred=preferred)
        )

    def is_up(self, policy: str) -> bool:
        """Is there an SA in both directions for an SPD rule?"""
        directions = {
            sa.parameters.direction for sa in self.ipsec.sad.all() if sa.parameters.policy == policy
        }
        return len(directions) == 2

    async def ping(
        self, destination: bytes, *, size: int = 56, within: Duration = 2 * SECOND
    ) -> Duration | None:
        """The round trip of one echo request through a tunnel; None when no answer came in time."""
        self._sequence = sequence = self._sequence % 0xFFFF + 1
        self.driver.turn("script", lambda: self._send_echo(destination, sequence, size))
        if not await self.driver.until(lambda: sequence in self._round_trips, within=within):
            self.driver.turn("timer", lambda: self._give_up_echo(sequence))
        return self._round_trips.pop(sequence, None)

    # -- the inner side -------------------------------------------------------------------------

    def _into_the_tunnel(self, packet: bytes, passage: Passage) -> Verdict:
        """Nothing leaves in clear: there is no other way out than an SA."""
        taken = self.ipsec.outbound(packet, self.driver.now)
        if taken is None:
            self._drop(DropReason.IP_NO_ROUTE, packet, "nothing leaves in clear")
            return []
        return taken

    def _send_echo(self, destination: bytes, sequence: int, size: int) -> list[Action]:
        self._waiting[sequence] = self.driver.now
        if self.driver.tap is not None:
            self.driver.tap(EchoRequestSent("ping", destination, sequence))
        data = bytes(number & 0xFF for number in range(size))
        source = self.stack.address_towards(destination)
        message = icmp.echo(source, destination, self._identifier, sequence, data)
        return self.stack.send(source, destination, icmp.protocol_for(destination), message)

    def _echo_reply_arrived(self, action: EchoReplyArrived) -> None:
        if action.identifier != self._identifier or action.sequence not in self._waiting:
            return
        sent_at = self._waiting.pop(action.sequence)
        round_trip = self.driver.now - sent_at
        self._round_trips[action.sequence] = round_trip
        if self.driver.tap is not None:
            self.driver.tap(EchoReplyReceived("ping", action.source, action.sequence, round_trip))

    def _give_up_echo(self, sequence: int) -> list[Action]:
        del self._waiting[sequence]
        if self.driver.tap is not None:
            self.driver.tap(EchoReplyMissed("ping", sequence))
        return []

    # -- the outer side -------------------------------------------------------------------------

    def _arrival_on(self, address: bytes, port: int) -> Arrived:
        """What a socket calls: a datagram that a listed peer sent is a turn, all others end here."""

        def arrived(source: bytes, real_port: int, payload: bytes) -> None:
            path = Path(address, port, source, self.peer_ports.meant(real_port))
            self.driver.turn("frame", lambda: self._datagram(path, payload))

        return arrived

    def _datagram(self, path: Path, payload: bytes) -> list[Action]:
        packet = _packet(path.remote, path.remote_port, path.local, path.local_port, payload)
        if self.driver.tap is not None:
            self.driver.tap(FrameArrived(self._next_frame(), LINK, "outer", packet))
        if path.remote not in self.peers:
            return self._drop(DropReason.NOT_A_PEER, payload, unpack(path.remote))
        return ike_ports.receive(
            self.ike, self.ipsec, path, packet, payload, self.driver.now, self.driver.tap
        )

    def _send_datagram(self, action: SendDatagram) -> None:
        if self.driver.tap is not None:
            ends = action.source, action.source_port, action.destination, action.destination_port
            packet = _packet(*ends, action.payload)
            self.driver.tap(FrameSent(self._next_frame(), LINK, "outer", action.destination, packet))
        port = self._sockets.get((action.source, action.source_port))
        if port is not None and action.destination in self.peers:
            real_port = self.peer_ports.real(action.destination_port)
            port.send(action.destination, real_port, action.payload, action.tos)

    def _next_frame(self) -> int:
        self._frames += 1
        return self._frames

    def _drop(self, reason: DropReason, packet: bytes, detail: str = "") -> list[Action]:
        if self.driver.tap is not None:
            self.driver.tap(PacketDropped(reason, packet, detail))
        return []

    async def _closed(self) -> None:
        """Close, and let asyncio give the ports back."""
        self._close()
        await sleep(0)

    def _close(self) -> None:
        for port in self._sockets.values():
            port.close()
        self._sockets.clear()


def _outer_address(connections: Sequence[Connection], beyond_loopback: Collection[bytes]) -> bytes:
    """The one local address of all connections. Raises LocalError for what emulation does not do."""
    addresses = {connection.local_address for connection in connections}
    if len(addresses) != 1:
        raise LocalError("emulation needs connections, all with the same local address")
    for connection in connections:
        ends = connection.local_address, connection.remote_address
        if any(len(address) != 4 for address in ends):
            raise LocalError(f"connection {connection.name!r}: emulation speaks IPv4 only")
        if not all(0 < address[0] < FIRST_MULTICAST for address in ends):
            raise LocalError(f"connection {connection.name!r}: both addresses must be those of one machine")
        if not all(address in _LOOPBACK for address in ends) and ends[1] not in beyond_loopback:
            raise LocalError(
                f"connection {connection.name!r} leaves this machine's loopback; if you mean it, "
                f"name {unpack(ends[1])} in beyond_loopback too"
            )
        if not connection.encap:
            raise LocalError(f"connection {connection.name!r} needs encap: here ESP rides in UDP only")
    return addresses.pop()


def _policies(connections: Sequence[Connection]) -> list[Policy]:
    return [
        Policy(
            child.policy,
            PolicyAction.PROTECT,
            () if connection.pools else to_selectors(child.local_ts, child.remote_ts),
            follows_sas=bool(connection.pools),
        )
        for connection in connections
        for child in connection.children
    ]


def _packet(
    source: bytes, source_port: int, destination: bytes, destination_port: int, payload: bytes
) -> bytes:
    """A datagram as a recording shows it. The real headers are the kernel's; these say what we know."""
    segment = udp.build(source, destination, source_port, destination_port, payload)
    return ipv4.build(source, destination, IpProtocol.UDP, segment)
