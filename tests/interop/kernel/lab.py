"""What a case has in its hands: the guest, our side, and time that goes on for both."""

import select
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.association import Mode
from ipsecsim.net.application import Result
from ipsecsim.net.apps.ping import Ping
from ipsecsim.stack.events import EchoAnswered
from ipsecsim.views.text import story
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol
from tests.interop.kernel import charon, xfrm
from tests.interop.kernel.case import Case, IkeCase
from tests.interop.kernel.guest import Guest
from tests.interop.kernel.ours import OurSide
from tests.interop.row import Row, timed

PATIENCE = 10 * SECOND
STATISTICS = "while read -r name value; do echo $name $value; done < /proc/net/xfrm_stat"


class Lab:
    """A fresh world of ours, and the guest with this case's SAs in place of the last one's."""

    def __init__(self, case: Case, guest: Guest, rows: list[Row]) -> None:
        self.case = case
        self.guest = guest
        self.rows = rows
        self._expected_errors: Counter[str] = Counter()
        self._expected_drops: Counter[str] = Counter()
        prepare = charon.start(case) if isinstance(case, IkeCase) else xfrm.association(case)
        self._errors_before = _counters(guest.line.order(f"{prepare}\n{STATISTICS}"))
        guest.drain()
        self.ours = OurSide(case, guest.frames)
        self.wire = self.ours.wire

    def step(self, role: str, name: str) -> AbstractContextManager[None]:
        """A part of the conversation that gets its own row; when it fails, the case ends."""
        row = Row(f"Linux {self.guest.release}", role, self.case.key, name, "FAILED", 0.0)
        return timed(self.rows, row)

    # -- time goes on ---------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let both sides live until something holds. Raises AssertionError when it does not in time."""
        simulator, wire, guest = self.ours.simulator, self.wire, self.guest
        end = time.monotonic_ns() + PATIENCE
        while True:
            simulator.run_until(wire.clock())
            if condition():
                return
            now = time.monotonic_ns()
            assert now < end, f"waited in vain: {what}"
            due = simulator.next_event()
            wait = end - now if due is None else min(end - now, max(0, due - wire.clock()))
            line, frames = guest.line.fileno(), guest.frames.fileno()
            readable, _, _ = select.select([line, frames], [], [], wait / SECOND)
            if frames in readable:
                wire.take()
            if line in readable:
                guest.line.listen()

    def order(self, script: str) -> str:
        """Have the guest run a script while packets go on. Raises Refused when it fails."""
        self.guest.line.begin(script)
        results: list[str] = []

        def is_over() -> bool:
            result = self.guest.line.result()
            results.extend([] if result is None else [result])
            return bool(results)

        self.until(is_over, f"the end of: {script}")
        return results[0]

    # -- what the sides do ----------------------------------------------------------------------

    def we_ping(self, *sizes: int) -> None:
        """An echo request of each size, at once; all answers must come."""
        pings = [self.begin_ping(size) for size in sizes]
        self.until(lambda: all(ping.received for ping in pings), f"answers to pings of {sizes} bytes")

    def begin_ping(self, size: int = 56) -> Result:
        """An echo request that leaves our speaker at once; the result fills as time goes on."""
        speaker = self.ours.speaker
        ping = Ping(speaker, self.ours.its_end, name=f"{size} bytes", size=size)
        self.ours.do(speaker, lambda: speaker.run(ping))
        return ping.result

    def it_pings(self, size: int = 56, *, count: int = 3, words: str = "") -> None:
        """The kernel's host (or itself) pings ours, which must get and answer every request."""
        answered = len(self.ours.recorder.of(EchoAnswered)) + count
        # `ping` does not wait long for the last answer once it has one, so that it cannot tell whether all came
        self.order(self._ping(size, count, f"-W {PATIENCE // SECOND} {words}"))
        self.until(lambda: len(self.ours.recorder.of(EchoAnswered)) == answered, f"{count} requests")

    def it_pings_in_vain(self) -> None:
        """The same once, and no answer may come."""
        self.order(f"! {self._ping(56, 1, '-W 0.2')}")

    def _ping(self, size: int, count: int, words: str) -> str:
        where = f"ip netns exec {xfrm.SITE} " if self.case.mode is Mode.TUNNEL else ""
        return f"{where}ping -n -q -c {count} -i 0.002 -s {size} {words} {unpack(self.ours.our_end)}"

    # -- what can be seen -----------------------------------------------------------------------

    def errors(self) -> dict[str, int]:
        """The kernel's own account since the case began: it counts nothing but mishaps there."""
        risen = {
            name: value - self._errors_before[name]
            for name, value in _counters(self.order(STATISTICS)).items()
        }
        return {name: value for name, value in risen.items() if value}

    def it_counts(self, name: str) -> None:
        """Wait until the kernel has counted one more error of this name, and no other."""
        self._expected_errors[name] += 1
        for _ in range(20):
            if (errors := self.errors()) == self._expected_errors:
                return
        raise AssertionError(f"the kernel counts {errors}, not {dict(self._expected_errors)}")

    def we_drop(self, reason: str) -> None:
        """Wait until our side has dropped one more packet for this reason, and none for another."""
        self._expected_drops[reason] += 1
        expected = self._expected_drops
        self.until(lambda: self.drops().total() >= expected.total(), f"our side to drop {dict(expected)}")
        assert self.drops() == expected, f"our side dropped {dict(self.drops())}, not {dict(expected)}"

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
        if isinstance(self.case, IkeCase):
            lines += ["-- charon:", self.order(charon.log())]
        return "\n".join(lines)


def _counters(listed: str) -> dict[str, int]:
    """What STATISTICS prints."""
    return {name: int(value) for name, value in (line.split() for line in listed.splitlines())}
