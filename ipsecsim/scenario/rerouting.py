"""Routes that follow what happens: a link goes down or comes up, or a node on the way has another address."""

from ipsecsim.scenario.build_ways import learned, to_route
from ipsecsim.scenario.world import World


def follow_links(world: World) -> None:
    """Let packets go by the links that are up: what a routing protocol brings about in time, at once.

    A node that does not forward is left its own ways out, one by each interface: it prefers one by itself.
    """
    links, nodes = world.simulator.links, world.topology.nodes
    out = frozenset(
        (node, link.name)
        for link in world.topology.links.values()
        if not links[link.name].options.up
        for node, _ in link.endpoints
    )
    ways = next(iter(nodes.values())).routes.ways.without(out)
    for spec in nodes.values():
        stack, routes = world.simulator.nodes[spec.name].stack, spec.routes.by(ways)
        stack.routes.learn_from(learned(routes, world.moved))
        for route in routes.way_out if stack.forwards else ():
            stack.routes.add(to_route(route, world.moved))


def follow_address(world: World, old: bytes, new: bytes) -> None:
    """Let whoever sends by the node that had an address send by the one that it has now."""
    world.moved |= {before: new for before, after in world.moved.items() if after == old}
    world.moved[old] = new
    world.moved.pop(new, None)  # it is home again
    for node in world.simulator.nodes.values():
        node.stack.routes.next_hop_moved(old, new)


def catch_up(world: World, name: str) -> None:
    """Let a node that was made anew go by the links and addresses that there are now."""
    routes = world.simulator.nodes[name].stack.routes
    routes.learn_from(learned(world.topology.nodes[name].routes, world.moved))
    for old, new in world.moved.items():
        routes.next_hop_moved(old, new)
    if not all(link.options.up for link in world.simulator.links.values()):
        follow_links(world)
