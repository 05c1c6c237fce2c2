"""From a topology to a world: links, nodes, and the script's turns."""

from dataclasses import replace

from ipsecsim.base.instant import Instant
from ipsecsim.net.link import Link
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.net.turn import Observer
from ipsecsim.scenario import model
from ipsecsim.scenario.build_auth import Proofs
from ipsecsim.scenario.build_nodes import build_node
from ipsecsim.scenario.verbs import PERFORMERS
from ipsecsim.scenario.world import World


def build(topology: model.Topology, *, seed: str | None = None, observer: Observer | None = None) -> World:
    """A world at time 0, its script planned, nothing run yet."""
    seed = topology.seed if seed is None else seed
    simulator = Simulator(seed, observer)
    for link in topology.links.values():
        from_nodes = {name: replace(options) for name, options in link.from_nodes.items()}
        simulator.links[link.name] = Link(link.name, simulator, replace(link.options), from_nodes)
    proofs = Proofs(topology, seed)
    world = World(topology, simulator, lambda spec: build_node(world.topology, spec, simulator, proofs))
    for node in topology.nodes.values():
        world.make_node(node)
    _plan(world)
    return world


def _plan(world: World) -> None:
    """Nodes start at time 0, in the file's order; then each line of the script at its time."""
    simulator = world.simulator
    for node in simulator.nodes.values():
        if isinstance(node, VpnGateway) and node.has_something_to_start:
            simulator.plan(0, node, node.start, stimulus="start")
    for entry in world.topology.script:
        # what waits for something, or counts from that, is planned by whoever watches the run
        if entry.at is not None:
            play(world, entry, entry.at)


def play(world: World, entry: model.ScriptEntry, at: Instant) -> None:
    """Plan the actions of a script entry."""
    for action in entry.do:
        PERFORMERS[type(action)](world, action, at)
