"""A packet changed by hand and sent on: what would the receiver have done with these bytes instead?

The run is made once more up to the moment before the packet arrived, and there the changed bytes arrive.
"""

from dataclasses import dataclass

from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.lab.errors import LabError
from ipsecsim.lab.shown import Shown
from ipsecsim.net.events import FrameArrived
from ipsecsim.observe.lives.life import Hop


@dataclass(frozen=True, repr=False)
class Resent(Shown):
    """What became of changed bytes. `reason` is the drop reason, '' when they were accepted."""

    node: str
    reason: str
    sentence: str

    def text(self) -> str:
        """One line."""
        return f"{self.node} {'drops it: ' + self.sentence if self.reason else 'accepts it'}"

    def __bool__(self) -> bool:
        return not self.reason


def resend(run: Run, hop: Hop, data: bytes) -> Resent:
    """Let `data` arrive where a packet arrived. Raises LabError where the run cannot be made once more."""
    if hop.arrived is None:
        raise LabError("this packet arrived nowhere, so nothing can arrive in its place; take another one")
    original = next(
        row.event for row in run.recorder.turn(hop.arrived) if isinstance(row.event, FrameArrived)
    )
    copy = Run(run.topology, seed=run.seed)
    while copy.turns < hop.arrived - 1 and copy.step():
        pass
    if copy.turns != hop.arrived - 1:
        raise LabError(
            "what was done by hand cannot be made once more; send a packet that the file itself sends"
        )
    simulator = copy.world.simulator
    frame = simulator.next_frame()
    node = simulator.nodes[hop.to]
    simulator.deliver_after(0, node, original.interface, hop.link, frame, data)
    while copy.step():
        rows = copy.recorder.turn(copy.turns)
        if any(isinstance(row.event, FrameArrived) and row.event.frame == frame for row in rows):
            dropped = [row.event.reason for row in rows if isinstance(row.event, PacketDropped)]
            if not dropped:
                return Resent(hop.to, "", "")
            return Resent(hop.to, dropped[0].name, dropped[0].sentence)
    raise LabError(f"{hop.to} never got it")
