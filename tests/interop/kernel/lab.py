"""What a case has in its hands: the guest, our side, and time that goes on for both."""

import select
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import SECOND, Duration
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.association import Mode
from ipsecsim.net.apps.ping import Ping, PingResult
from ipsecsim.views.text import story
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol
from tests.interop.kernel import xfrm
from tests.interop.kernel.case import Case
from tests.interop.kernel.guest import Guest, Refused
from tests.interop.kernel.ours import OurSide
from tests.interop.row import Row, timed

PATIENCE = 5 * SECOND
STATISTICS = "while read -r name value; do echo $name $value; done < /proc/net/xfrm_stat"


class Lab:
    """A fresh world of ours, and the guest with this case's SAs in place of the last one's."""

    def __init__(self, case: Case, guest: Guest) -> None:
        self.case = case
        self.guest = guest
        self.rows: list[Row] = []
        self.ours = OurSide(case, guest.frames)
        self.wire = self.ours.wire
        self.before: dict[str, int] = {}
        self.order(xfrm.association(case))
        self.before = self.counters()

    def step(self, role: str, name: str) -> AbstractContextManager[None]:
        """A part of the conversation that gets its own row; when it fails, the case ends."""
        row = Row(f"Linux {self.guest.release}", role, self.case.key, name, "FAILED", 0.0)
        return timed(self.rows, row)

    # -- time goes on ---------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool], what: str, within: Duration = PATIENCE) -> None:
        """Let both sides live until something holds. Raises AssertionError when it does not in time."""
        simulator, wire, guest = self.ours.simulator, self.wire, self.guest
        end = time.monotonic_ns() + within
        while True:
            while (due := simulator.next_event()) is not None and due <= wire.clock():
                simulator.step()
            if condition():
                return
            now = time.monotonic_ns()
            assert now < end, f"waited in vain: {what}"
            wait = end - now if due is None else min(end - now, max(0, due - wire.clock()))
            readable, _, _ = select.select([guest.frames, guest.line], [], [], wait / SECOND)
            if guest.frames in readable:
                wire.take()
            if guest.line in readable:
                guest.listen()

    def order(self, script: str) -> str:
        """Have the guest run a script while packets go on. Raises Refused when it fails."""
        self.guest.begin(script)
        results: list[tuple[int, str]] = []

        def is_over() -> bool:
            result = self.guest.result()
            results.extend([] if result is None else [result])
            return bool(results)

        self.until(is_over, f"the end of: {script}")
        code, output = results[0]
        if code:
            raise Refused(f"exit code {code}\n{script}\n{output}")
        return output

    # -- what the sides do ----------------------------------------------------------------------

    def we_ping(self, *sizes: int, dont_fragment: bool = False) -> None:
        """An echo request of each size, at once; all answers must come."""
        pings = [self.begin_ping(size, dont_fragment=dont_fragment) for size in sizes]
        self.until(lambda: all(ping.received for ping in pings), f"answers to pings of {sizes} bytes")

    def begin_ping(self, size: int = 56, *, dont_fragment: bool = False) -> PingResult:
        """An echo request that leaves our speaker at once; the result fills as time goes on."""
        speaker = self.ours.speaker
        ping = Ping(speaker, self.ours.its_end, name=f"{size} bytes", size=size, dont_fragment=dont_fragment)
        self.ours.do(speaker, lambda: speaker.run(ping))
        return ping.result

    def it_pings(self, size: int = 56, *, count: int = 3, words: str = "", must_succeed: bool = True) -> None:
        """The kernel's host (or itself) pings ours."""
        where = f"ip netns exec {xfrm.SITE} " if self.case.mode is Mode.TUNNEL else ""
        ping = f"ping -n -q -c {count} -i 0.002 -W 0.3 -s {size} {words} {unpack(self.ours.our_end)}"
        self.order(where + ping if must_succeed else f"! {where}{ping}")

    # -- what can be seen -----------------------------------------------------------------------

    def counters(self) -> dict[str, int]:
        """The kernel's own account: /proc/net/xfrm_stat, what it has risen by since the case began."""
        lines = (line.split() for line in self.order(STATISTICS).splitlines())
        return {name: int(value) - self.before.get(name, 0) for name, value in lines}

    def errors(self) -> dict[str, int]:
        """The counters that are not 0: Linux counts nothing but mishaps there."""
        return {name: value for name, value in self.counters().items() if value}

    def until_counted(self, **expected: int) -> None:
        """Wait for exactly these errors in the kernel's account."""
        for _ in range(20):
            if (errors := self.errors()) == expected:
                return
        raise AssertionError(f"the kernel counts {errors}, not {expected}")

    def until_dropped(self, **expected: int) -> None:
        """Wait for exactly these drops, by reason, on our side."""
        self.until(lambda: self.drops().total() >= sum(expected.values()), f"our side to drop {expected}")
        assert self.drops() == expected, f"our side dropped {dict(self.drops())}, not {expected}"

    def drops(self) -> Counter[str]:
        """How many packets our side has dropped, by reason."""
        return Counter(event.reason.name for _, event in self.ours.recorder.of(PacketDropped))

    def all_protected(self) -> None:
        """Nothing but ESP or AH has passed the wire, and neither side has dropped anything."""
        expected = IpProtocol.UDP if self.case.in_udp else self.case.protocol
        seen = {ip.upper_layer(packet)[0] for packet in (*self.wire.sent, *self.wire.received)}
        assert seen == {expected}, f"protocols on the wire: {sorted(seen)}"
        assert not self.drops(), f"our side dropped {dict(self.drops())}"
        assert not self.errors(), f"the kernel counts {self.errors()}"

    def both_sides(self) -> str:
        """The end of our story, the wire's last packets, and the kernel's account, for whoever has to find out."""
        lines = ["-- we:", *list(story(self.ours.recorder))[-12:], "-- we sent:"]
        lines += [packet.hex() for packet in self.wire.sent[-3:]]
        lines += ["-- the kernel sent:", *(packet.hex() for packet in self.wire.received[-3:])]
        lines += ["-- the kernel:", str(self.errors()), self.order("ip -s xfrm state; ip xfrm policy")]
        return "\n".join(lines)
