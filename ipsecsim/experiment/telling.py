"""Who tells the turns of a run: a Teller that knows the nodes of its topology by name."""

from collections.abc import Mapping

from ipsecsim.experiment.run import Run
from ipsecsim.net.nodes import KINDS
from ipsecsim.observe.turn_story import Place, Teller
from ipsecsim.scenario.model import NodeSpec, Topology


def teller(run: Run) -> Teller:
    """Tells the turns that have run and those to come."""
    return Teller(run.recorder, places(run.topology), run.lives)


def places(topology: Topology) -> Mapping[str, Place]:
    """What the file says of each node, as far as it matters to a packet on its way through."""
    return {name: _place(spec) for name, spec in topology.nodes.items()}


def _place(spec: NodeSpec) -> Place:
    own = {address for interface in spec.interfaces for address, _ in interface.addresses}
    outside = set() if spec.nat is None else set(spec.nat.pool)
    return Place(
        spec.kind,
        frozenset(own | outside),
        has_nat=spec.nat is not None,
        has_firewall=spec.firewall is not None,
        has_ipsec=spec.ipsec is not None,
        forwards=KINDS[spec.kind].forwards,
    )
