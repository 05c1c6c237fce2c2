"""Two sites with a tunnel between them, and what a script does to them in their life."""

from collections.abc import Sequence

from ipsecsim.base.trace import TraceEvent
from ipsecsim.experiment.run import Run
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read

SITES = """
name: sites
until: {until}
nodes:
  alice: {{kind: host}}
  west: {{kind: gateway}}
  east: {{kind: gateway}}
  bob: {{kind: host}}
links:
  left: [alice, west]
  wan: {{endpoints: [west, east], delay: 10ms}}
  right: [east, bob]
tunnels:
  net: {{ends: [west, east], dpd_delay: 2s, child: {{start_action: {start}}}}}
script:
{script}
"""


def sites(
    *script: str, start: str = "trap", until: str = "10s", settings: Sequence[tuple[str, str]] = ()
) -> Run:
    """Two sites and what happens to them; the invariants hold to the end."""
    lines = "\n".join(f"  - {line}" for line in script)
    run = Run(read(SITES.format(script=lines, start=start, until=until), settings=settings)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def told(run: Run, kind: type[TraceEvent], node: str) -> list[int]:
    """When a node told events of a kind."""
    return [row.turn.at for row, _ in run.recorder.of(kind) if row.node == node]
