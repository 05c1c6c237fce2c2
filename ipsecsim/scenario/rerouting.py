"""Routes that follow the links: when one goes down or comes up, every node finds its ways anew."""

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
        stack.routes.learn_from(learned(routes))
        for route in routes.way_out if stack.forwards else ():
            stack.routes.add(to_route(route))
