"""What an action found out: a ping and its answers, a flow, a call, a trace."""

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.run import Run
from ipsecsim.lab.packets import Packets
from ipsecsim.lab.shown import Shown
from ipsecsim.lab.why import Why, ask
from ipsecsim.net.application import Result
from ipsecsim.views import tables


class Traffic(Shown):
    """Traffic of one name: what was sent, what came of it, its packets, and why some of them did not arrive.

    It is false when something was lost. Times in seconds.
    """

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self.name = name
        self.verb, self.source, self.to = run.world.traffic[name]

    @property
    def _result(self) -> Result:
        return self._run.world.results[self.name]

    @property
    def sent(self) -> int:
        """How many packets were sent."""
        return self._result.sent

    @property
    def received(self) -> int:
        """How many arrived, or were answered."""
        return self._result.received

    @property
    def lost(self) -> int:
        """How many did not."""
        return self._result.lost

    @property
    def rtt(self) -> float:
        """The mean round trip in seconds; 0 when nothing came back."""
        trips = self._result.round_trips
        return sum(trips) / len(trips) / SECOND if trips else 0.0

    @property
    def jitter(self) -> float:
        """How much the time on the way varies, in seconds (RFC 3550 6.4.1)."""
        return self._result.jitter / SECOND

    @property
    def duration(self) -> float:
        """From the first sending to the last arrival, in seconds."""
        return self._result.duration / SECOND

    @property
    def goodput(self) -> float:
        """Bits of data a second."""
        return 8 * self._result.data / self.duration if self.duration else 0.0

    @property
    def hops(self) -> tuple[str, ...]:
        """The routers on the way, for a trace; '*' where nobody answered."""
        return tuple("*" if hop is None else unpack(hop) for hop in self._result.hops)

    @property
    def packets(self) -> Packets:
        """All packets on its account, those that carried them too."""
        return Packets(self._run).where(lambda packet: self.name in packet.life.traffic)

    def why(self) -> Why:
        """Why something was lost."""
        return ask(self._run, self.name)

    def text(self) -> str:
        """One line."""
        return f"{self.verb} {self.source} {self.to}   {tables.found(self.verb, self._result)}"

    def __bool__(self) -> bool:
        return not self.lost
