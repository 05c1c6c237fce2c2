"""Ways that are found when asked for, and that follow the links."""

from ipsecsim.base.address import unpack
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.scenario.build import build

RING = """\
name: ring
nodes:
  a: {}
  r1: {kind: router}
  r2: {kind: router}
  r3: {kind: router}
  b: {}
links:
  left: [a, r1]
  direct: [r1, r2]
  one: [r1, r3]
  two: [r3, r2]
  right: [r2, b]
script:
  - {at: 1s, do: ping a b}
  - {at: 2s, do: set links.direct.state down}
  - {at: 3s, do: ping a b}
  - {at: 4s, do: set links.direct.state up}
  - {at: 5s, do: ping a b}
"""

TWO_WAYS_TO_THE_PEER = """\
name: two_ways
nodes: {a: {}, west: {kind: gateway}, r1: {kind: router}, r2: {kind: router}, east: {kind: gateway}, b: {}}
links:
  lan: [a, west]
  first: [west, r1]
  second: [west, r2]
  far: [r1, east]
  farther: [r2, east]
  other: [east, b]
tunnels: {net: [west, east]}
script:
  - {at: 2s, do: set links.far.state down}
  - {at: 3s, do: note the end}
"""


def next_hop(world, node: str, towards: str) -> str:
    route = world.simulator.nodes[node].stack.routes.lookup(world.simulator.nodes[towards].address)
    return route.interface


def test_a_link_that_is_down_is_gone_round_and_used_again_when_it_is_back():
    run = Run(read(RING))
    seen = []
    for at in (1_500_000_000, 2_500_000_000, 4_500_000_000):
        run.run(at)
        seen.append(next_hop(run.world, "r1", "b"))
    assert seen == ["direct", "one", "direct"]
    run.run()
    assert [result.lost for result in run.world.pings.values()] == [0, 0, 0]


def test_a_gateway_goes_another_way_to_its_peer_when_a_link_far_off_is_down():
    run = Run(read(TWO_WAYS_TO_THE_PEER))
    run.run(1_500_000_000)
    assert next_hop(run.world, "west", "b") == "first"
    run.run(2_500_000_000)
    assert next_hop(run.world, "west", "b") == "second"


def test_what_a_node_learns_has_the_longest_prefix_and_its_own_links_count_more():
    world = build(read(RING))
    routes = world.topology.nodes["r1"].routes
    far = world.topology.links["right"].nets[0]
    (learned,) = routes.learned(far.first)
    assert (learned.prefix, learned.interface) == (far, "direct")
    assert routes.learned(world.topology.links["left"].nets[0].first) == []
    assert not routes.knows(b"\x08\x08\x08\x08")


def test_a_route_that_is_learned_is_the_one_that_is_listed():
    topology = read(RING)
    for node in topology.nodes.values():
        for route in node.routes:
            if route not in node.routes.given:
                assert route in node.routes.learned(route.prefix.first), (
                    node.name,
                    unpack(route.prefix.first),
                )
