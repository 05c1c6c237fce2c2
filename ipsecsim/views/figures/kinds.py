"""Every kind of figure in one table, by the word it is asked for."""

from collections.abc import Callable, Mapping

from ipsecsim.experiment.run import Run
from ipsecsim.views.figures.figure import Figure
from ipsecsim.views.figures.ladder import ladder
from ipsecsim.views.figures.nat_table import nat_table
from ipsecsim.views.figures.series import delay, throughput
from ipsecsim.views.figures.sizes import sizes
from ipsecsim.views.figures.timeline import timeline
from ipsecsim.views.figures.topology import topology_map
from ipsecsim.views.figures.window import window

FIGURES: Mapping[str, tuple[Callable[[Run], Figure], str]] = {
    "topology": (lambda run: topology_map(run.topology), "the map: nodes, links, tunnels"),
    "ladder": (ladder, "messages between nodes, in order, with what is under the seal"),
    "packets": (timeline, "packets on each link over time"),
    "window": (window, "a replay window, packet after packet"),
    "sizes": (sizes, "bytes of protected packets, stacked by layer"),
    "throughput": (throughput, "what of each traffic arrived, over time"),
    "delay": (delay, "how long each packet took"),
    "nat": (nat_table, "mappings of NATs over time, and what kept them"),
}
"""Every kind: who draws it, and what it shows."""


def draw(run: Run, kind: str) -> Figure:
    """A figure of a run by its word. Raises KeyError for a word that is not in FIGURES."""
    return FIGURES[kind][0](run)
