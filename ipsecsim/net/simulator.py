"""The simulated world: nodes, links, one clock, and turns one after another."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import simpy
from simpy.core import Infinity
from simpy.events import Timeout

from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.net.link import Link
from ipsecsim.net.turn import ARRIVAL, TURN, Observer

if TYPE_CHECKING:
    from ipsecsim.net.node import Node

Arriving = tuple["Node", str, str, int, bytes, int]
"""A packet on its way: to whom, by which interface, on which link, the frame's number, its bytes, and its cause."""


class Simulator:
    """Runs turns in the order of simulated time; equal times run in the order they were scheduled.

    With `observer` None nothing is told and no tap is set; every frame is the same.
    """

    def __init__(self, seed: str, observer: Observer | None = None) -> None:
        self.entropy = SeededEntropy(seed)
        self.nodes: dict[str, Node] = {}
        self.links: dict[str, Link] = {}
        self.now: Instant = 0  # simulated time; an attribute, since every packet asks for it several times
        self.turns = 0
        self.in_flight = 0  # packets on links
        self.planned = 0  # script entries to come
        self.tap: Tap | None = observer  # of all nodes and their engines; None when nobody watches
        self._env = simpy.Environment(initial_time=0)
        self.crossings = 0  # of links, each with its number

    # -- time -----------------------------------------------------------------------------------

    def step(self, until: Instant | None = None) -> bool:
        """Run the next turn. False when nothing is left to do, or, with `until`, nothing before or at that time."""
        before, env = self.turns, self._env
        while self.turns == before:
            at = env.peek()
            if at == Infinity:
                return False
            if until is not None:
                if at > until:
                    return False
            elif not self.in_flight and self.is_quiet():  # while packets fly there is no need to ask
                return False
            self.now = int(at)
            env.step()
        return True

    def run_until(self, at: Instant) -> None:
        """Run all that is due until then, and what only watches over idle SAs too."""
        while (due := self.next_event()) is not None and due <= at:
            self.now = due
            self._env.step()

    def is_quiet(self) -> bool:
        """Nothing is on its way: what may still be armed are timers that only watch over idle SAs."""
        if self.in_flight or self.planned:
            return False
        return self.next_event() is None or all(node.is_quiet() for node in self.nodes.values())

    def next_event(self) -> Instant | None:
        """When something is to happen next."""
        at = self._env.peek()
        return None if at == Infinity else int(at)

    # -- turns ----------------------------------------------------------------------------------

    def run_turn(self, node: "Node", stimulus: str, cause: int, work: Callable[[], None]) -> None:
        """One turn: `work` brings the stimulus to the node and performs what follows."""
        self.turns += 1
        if self.tap is not None:
            self.tap((TURN, self.turns, self.now, node.name, stimulus, cause))
        work()
        node.rearm(cause=self.turns)

    def wake_after(self, wait: Duration, node: "Node", armed_for: Instant, cause: int) -> None:
        """Plan the ringing of a node's timer; it makes a turn only when something is due then."""

        def ring(_: object) -> None:
            if node.on_timer(armed_for):
                self.run_turn(node, "timer", cause, node.serve_timers)
            else:
                node.rearm(cause)

        self.after(wait, ring)

    def plan(
        self,
        at: Instant,
        node: "Node",
        work: Callable[[], None],
        *,
        stimulus: str = "script",
        even_when_down: bool = False,
    ) -> None:
        """Plan a line of the script. The run is not quiet before all of them have happened.

        The turn is that of the node that has the name of `node` by then: one that crashed has an heir. A node that
        is down does not do it, unless it has to be `even_when_down`.
        """
        self.planned += 1

        def begin(_: object) -> None:
            self.planned -= 1
            there = self.nodes[node.name]
            is_able = there.is_up or even_when_down
            self.run_turn(there, stimulus, 0, work if is_able else there.ask_in_vain)

        self.after(at - self.now, begin)

    # -- frames ---------------------------------------------------------------------------------

    def next_frame(self) -> int:
        """The number of the next crossing of a link."""
        self.crossings += 1
        return self.crossings

    def deliver_after(
        self,
        wait: Duration,
        node: "Node",
        interface: str,
        link: str,
        frame: int,
        packet: bytes,
        cause: int = 0,
    ) -> None:
        """A packet is on its way to a node; its cause is the turn that runs now, or `cause`."""
        self.in_flight += 1
        arrival = (node, interface, link, frame, packet, cause or self.turns)
        # a bare timeout with a callback: a simpy process for each packet would cost four times as much
        Timeout(self._env, wait, arrival).callbacks.append(self._arrive)

    def _arrive(self, event: Any) -> None:
        """One turn for one packet: `run_turn` written out, since most of a run's time is spent here."""
        node, interface, link, frame, packet, cause = event.value
        if node.cores is not None and node.cores.keep(event.value):
            return
        self.in_flight -= 1
        self.turns += 1
        if self.tap is not None:
            self.tap((ARRIVAL, self.turns, self.now, node.name, cause, frame, link, interface, packet))
        node.receive(interface, packet)
        node.rearm(cause=self.turns)

    def refuse(self, arrival: Arriving, dropped: PacketDropped) -> None:
        """One turn for a packet that came and that the node has no room for."""
        node, interface, link, frame, packet, cause = arrival
        self.in_flight -= 1
        self.turns += 1
        if self.tap is not None:
            self.tap((ARRIVAL, self.turns, self.now, node.name, cause, frame, link, interface, packet))
            self.tap(dropped)
        node.rearm(cause=self.turns)

    def wait_longer(self, wait: Duration, arrival: Arriving) -> None:
        """A packet that has come is not looked at before so long."""
        Timeout(self._env, wait, arrival).callbacks.append(self._arrive)

    def after(self, wait: Duration, callback: Callable[[Any], None]) -> None:
        """Call back after a while, outside of any turn."""
        Timeout(self._env, wait).callbacks.append(callback)
