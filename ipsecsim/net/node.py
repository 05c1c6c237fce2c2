"""A node: an IP stack, perhaps engines above it, applications, and one timer for all of them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.base.wall_clock import WallClock
from ipsecsim.net.application import Application, Listener
from ipsecsim.net.cores import Cores
from ipsecsim.net.events import (
    AddressChanged,
    DatagramReceived,
    InterfaceChanged,
    NodeAskedInVain,
    NodeCrashed,
    NodeStarted,
)
from ipsecsim.net.filtering import Filtering
from ipsecsim.net.link import Link
from ipsecsim.net.simulator import Simulator
from ipsecsim.net.translation import Translation
from ipsecsim.stack.actions import (
    DatagramArrived,
    EchoReplyArrived,
    IcmpErrorArrived,
    PacketArrived,
    Transmit,
)
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.events import PacketDelivered
from ipsecsim.stack.firewall import Ruleset
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.nat.behaviour import Behaviour
from ipsecsim.stack.routes import Route
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol

Performer = Callable[[Any], list[Action] | None]
"""Does what an action asks for, and returns what follows from it."""


class Engine(Protocol):
    """What the one timer of a node asks of everything that has deadlines."""

    def next_deadline(self) -> Instant | None:
        """When `handle_timeout` has something to do."""
        ...

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        ...


FIRST_FREE_PORT = 49152  # of the dynamic range


class Node:
    """Performs what its engines ask for. Subclasses add engines and the actions that these emit."""

    forwards = False

    def __init__(self, name: str, simulator: Simulator, interfaces: list[tuple[Interface, Link]]) -> None:
        self.name = name
        self.simulator = simulator
        self.entropy = simulator.entropy.fork(f"node {name}")
        self.tap: Tap | None = simulator.tap
        self.stack = HostStack(
            (interface for interface, _ in interfaces), self.entropy, forwards=self.forwards, tap=self.tap
        )
        self.is_up = True
        self.clock = WallClock()
        self.cores: Cores | None = None  # without any, work takes no time
        self.applications: list[Application] = []
        self._running: list[Application] = []  # those that still have a deadline
        self._listeners: dict[int, list[Listener]] = {}
        self.translation: Translation | None = None
        self.filtering: Filtering | None = None
        self._engines: list[Engine] = [self.stack]
        self._armed: Instant | None = None
        self._links: dict[str, Link] = {}
        self.unplugged: set[str] = set()  # interfaces that are down, whatever their links may be
        for interface, link in interfaces:
            self._links[interface.name] = link
            for address in interface.addresses:
                link.attach(self, interface.name, address.packed)
            if not interface.up:
                self.unplugged.add(interface.name)
            interface.up = interface.up and link.options.up
            if not interface.up:
                self._leave(interface)
        self._performers: dict[type[Action], Performer] = {
            Transmit: self._transmit,
            DatagramArrived: self._datagram_arrived,
            PacketArrived: self._packet_arrived,
            EchoReplyArrived: self._echo_reply_arrived,
            IcmpErrorArrived: self._icmp_error_arrived,
        }
        simulator.nodes[name] = self

    def add_route(self, route: Route) -> None:
        """Tell the stack where a prefix lies."""
        self.stack.routes.add(route)

    def translate(self, behaviour: Behaviour, outside: str, pool: Sequence[bytes] = ()) -> None:
        """Let addresses be translated between the interface `outside` and all others."""
        self.translation = Translation(self, self._links[outside], behaviour, outside, pool)
        self._engines.append(self.translation)

    def filter(self, ruleset: Ruleset) -> None:
        """Let a firewall judge packets by these rules; other rules than before when it does so already."""
        if self.filtering is None:
            self.filtering = Filtering(self.stack, self.simulator, ruleset)
        else:
            self.filtering.firewall.change(ruleset)

    @property
    def address(self) -> bytes:
        """The address a person means by the node's name: that of its first interface, of a NAT the one outside."""
        if self.translation is not None:
            return self.stack.interfaces[self.translation.outside].address
        return next(iter(self.stack.interfaces.values())).address

    def address_of(self, version: int) -> bytes | None:
        """What the name means in one IP version: the first address of that kind, or None."""
        size = 4 if version == 4 else 16
        every = (each.packed for own in self.stack.interfaces.values() for each in own.addresses)
        return next((packed for packed in every if len(packed) == size), None)

    @property
    def programs(self) -> Iterator[Application]:
        """All that were started here, and all that listen; whoever does both comes once."""
        listening = (program for programs in self._listeners.values() for program in programs)
        return iter(dict.fromkeys((*self.applications, *listening)))

    @property
    def roaming_interfaces(self) -> list[str]:
        """The interfaces between which this node moves."""
        return list(self.stack.interfaces)

    def roam(self, interface: str, *, leaving: bool) -> None:
        """Go over to an interface: it comes up, and is the first choice. `leaving`: the others go down."""
        self.plug(interface, is_in=True)
        self.stack.routes.prefer(interface)
        for other in self.roaming_interfaces if leaving else []:
            if other != interface:
                self.plug(other, is_in=False)
        arrived_at = self.stack.interfaces[interface]
        self.interfaces_changed(arrived_at.address if arrived_at.up else None)

    def lose_contact(self) -> None:
        """Every interface between which this node moves goes down."""
        for name in self.roaming_interfaces:
            self.plug(name, is_in=False)
        self.interfaces_changed(None)

    def interfaces_changed(self, preferred: bytes | None) -> None:
        """For nodes that have somebody to tell it to."""

    def links_changed(self) -> None:
        """A link of this node went up or down, or has another MTU: its interface there follows."""
        for name, interface in self.stack.interfaces.items():
            interface.mtu = self._links[name].options.mtu
        if not self.is_up:
            return
        news = [self._settle(name) for name in self.stack.interfaces]
        if any(news):
            self.interfaces_changed(None)

    def readdress(self, name: str, new: bytes) -> None:
        """From now on an interface has this address in the place of the one of the same IP version."""
        interface, link = self.stack.interfaces[name], self._links[name]
        old = interface.address_like(new)
        if old is None or old == new:
            return
        link.leave(old)
        self.stack.exchange_address(name, old, new)
        if interface.up or not self.is_up:
            link.join(self, name, new)
        if self.tap is not None:
            self.tap(AddressChanged(name, old, new))
        if self.translation is not None and self.translation.outside == name:
            self.translation.moved_with(old, new)
        self.interfaces_changed(new if interface.up else None)

    def plug(self, name: str, *, is_in: bool) -> None:
        """Plug an interface in or out; nothing happens when it is so already."""
        if is_in:
            self.unplugged.discard(name)
        else:
            self.unplugged.add(name)
        self._settle(name)

    def _settle(self, name: str) -> bool:
        """Let an interface be up where it is plugged in and its link is up. True when that is news."""
        interface = self.stack.interfaces[name]
        is_up = name not in self.unplugged and self._links[name].options.up
        if interface.up is is_up:
            return False
        interface.up = is_up
        self.stack.routes.interfaces_changed()
        if is_up:
            for address in interface.addresses:
                self._links[name].join(self, name, address.packed)
        else:
            self._leave(interface)
        if self.tap is not None:
            self.tap(InterfaceChanged(name, is_up))
        return True

    def _leave(self, interface: Interface) -> None:
        for address in interface.addresses:
            self._links[interface.name].leave(address.packed)

    def is_quiet(self) -> bool:
        """Is nothing under way here that would end by itself?"""
        return all(application.next_deadline() is None for application in self._running)

    # -- its life -------------------------------------------------------------------------------

    def crash(self) -> None:
        """Go down and lose all that is in memory. What comes up again in this place is a new node, the heir."""
        self.stack.reassembler.lose()
        if self.translation is not None:
            self.translation.reboot()
        if self.filtering is not None:
            self.filtering.firewall.forget("it lost all that was in memory")
        self._switch_off()
        self.applications.clear()
        self._running.clear()
        self._listeners.clear()
        self._engines.clear()
        if self.tap is not None:
            self.tap(NodeCrashed())

    def inherit(self, before: "Node") -> None:
        """Stand in the place of a node that crashed: on its links, but down."""
        if self.translation is not None and before.translation is not None:
            self.translation.come_after(before.translation)
        if before.filtering is not None:
            self.filter(before.filtering.firewall.ruleset)  # what was set is on disk
        self._switch_off()

    def start_again(self) -> None:
        """Come up after a crash."""
        self.is_up = True
        if self.tap is not None:
            self.tap(NodeStarted())
        self.links_changed()

    def flush(self) -> None:
        """Forget what was learned from traffic, and tell nobody."""
        if self.translation is not None:
            self.translation.forget("it was told to forget")
        if self.filtering is not None:
            self.filtering.firewall.forget("it was told to forget")

    def ask_in_vain(self) -> None:
        """The script wants something of this node, and it is down."""
        if self.tap is not None:
            self.tap(NodeAskedInVain())

    def _switch_off(self) -> None:
        self.is_up = False
        for interface in self.stack.interfaces.values():
            interface.up = False
        self.stack.routes.interfaces_changed()

    # -- turns ----------------------------------------------------------------------------------

    def receive(self, interface: str, packet: bytes) -> None:
        """A packet came off a link."""
        if not self.stack.interfaces[interface].up:
            self._receive_in_vain(interface, packet)
            return
        self.perform(self.stack.receive(interface, packet, self.simulator.now))

    def _receive_in_vain(self, interface: str, packet: bytes) -> None:
        heir = self.simulator.nodes[self.name]
        if heir is not self:  # this one crashed while the packet was on its way
            heir.receive(interface, packet)
            heir.rearm(self.simulator.turns)
        elif self.tap is not None:
            reason = DropReason.LINK_DOWN if self.is_up else DropReason.NODE_DOWN
            self.tap(PacketDropped(reason, packet, f"on {interface}"))

    def run(self, application: Application) -> None:
        """Start a program: its first deadline is served at once."""
        self.applications.append(application)
        self._running.append(application)
        self.perform(application.handle_timeout(self.simulator.now))

    def listen(self, program: Listener) -> None:
        """Let a program have what comes to its UDP port; of several, the first one that takes it."""
        self.stack.ports.add(program.port)
        self._listeners.setdefault(program.port, []).append(program)

    def free_port(self) -> int:
        """A UDP port of the dynamic range that nobody listens on."""
        chance = self.entropy.fork("source port")
        while True:
            port = FIRST_FREE_PORT + chance.below(0x10000 - FIRST_FREE_PORT)
            if port not in self.stack.ports:
                return port

    def perform(self, actions: list[Action]) -> None:
        """Do what engines ask for, in order; what follows from an action is done before the next one."""
        for action in actions:
            following = self._performers[type(action)](action)
            if following:
                self.perform(following)

    def rearm(self, cause: int) -> None:
        """Set the one timer to the earliest deadline. Called at the end of each turn, which is its cause."""
        earliest = self._earliest()
        if earliest is None or (self._armed is not None and self._armed <= earliest):
            # a timer that rings too early does no harm: it re-arms itself
            return
        self._armed = earliest
        simulator = self.simulator
        simulator.wake_after(max(0, earliest - simulator.now), self, earliest, cause)

    def on_timer(self, armed_for: Instant) -> bool:
        """Is the timer that rings still the one that is armed, and is anything due?"""
        if self._armed != armed_for:
            return False
        self._armed = None
        earliest = self._earliest()
        return earliest is not None and earliest <= self.simulator.now

    def _earliest(self) -> Instant | None:
        """The earliest deadline of anything on this node."""
        earliest: Instant | None = None
        for engine in self._engines:
            at = engine.next_deadline()
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        has_ended = False
        for application in self._running:
            at = application.next_deadline()
            if at is None:
                has_ended = True
            elif earliest is None or at < earliest:
                earliest = at
        if has_ended:
            self._running = [each for each in self._running if each.next_deadline() is not None]
        return earliest

    def serve_timers(self) -> None:
        """Let every engine do what is due."""
        now = self.simulator.now
        for engine in (*self._engines, *self._running):
            self.perform(engine.handle_timeout(now))

    # -- actions --------------------------------------------------------------------------------

    def _transmit(self, action: Transmit) -> None:
        self._links[action.interface].carry(self, action.interface, action.next_hop, action.packet)

    def _datagram_arrived(self, action: DatagramArrived) -> list[Action] | None:
        self.delivered(IpProtocol.UDP, f"port {action.destination_port}")
        if self.tap is not None:
            self.tap(DatagramReceived(action.source, action.destination_port, len(action.payload)))
        for program in self._listeners.get(action.destination_port, ()):
            following = program.on_datagram(action, self.simulator.now)
            if following is not None:
                return following
        return None

    def _packet_arrived(self, action: PacketArrived) -> list[Action] | None:
        self.delivered(action.protocol, "protocol")
        return None

    def _echo_reply_arrived(self, action: EchoReplyArrived) -> list[Action] | None:
        following: list[Action] = []
        for application in self.applications:
            following += application.on_echo_reply(action, self.simulator.now)
        return following

    def _icmp_error_arrived(self, action: IcmpErrorArrived) -> list[Action]:
        try:
            about = ip.shortened(action.error.quoted)
        except RemoteError:
            return []  # what it quotes is no packet
        following: list[Action] = []
        for application in self.applications:
            following += application.on_icmp_error(action, about, self.simulator.now)
        return following

    def delivered(self, protocol: int, to: str) -> None:
        """Tell that a packet reached somebody on this node."""
        if self.tap is not None:
            self.tap(PacketDelivered(protocol, to))
