"""Addresses, routes and what lies behind a gateway."""

import pytest

from ipsecsim.base.address import pack, unpack
from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario import read
from tests.unit.scenario.examples import DEEP, DUAL, SITES, SITES_6, refusal


def addresses(topology) -> dict[str, list[str]]:
    return {
        name: [
            f"{unpack(address)}/{length}" for each in node.interfaces for address, length in each.addresses
        ]
        for name, node in topology.nodes.items()
    }


def routes(topology, node: str) -> list[str]:
    return [
        f"{route.prefix} {route.interface}" + (f" via {unpack(route.via)}" if route.via else "")
        for route in topology.nodes[node].routes
    ]


def test_hosts_links_and_the_links_between_gateways_have_their_own_kinds_of_network():
    assert addresses(read(SITES)) == {
        "alice": ["10.1.0.2/24"],
        "west": ["10.1.0.1/24", "192.0.2.1/24"],
        "east": ["192.0.2.2/24", "10.2.0.1/24"],
        "bob": ["10.2.0.2/24"],
    }


def test_a_network_behind_a_gateway_is_not_known_outside_it():
    topology = read(SITES)
    assert routes(topology, "west") == ["10.1.0.0/24 left", "192.0.2.0/24 wan", "0.0.0.0/0 wan via 192.0.2.2"]
    assert routes(topology, "alice") == ["10.1.0.0/24 left", "0.0.0.0/0 left via 10.1.0.1"]
    deep = read(DEEP)
    assert routes(deep, "isp") == ["198.51.100.0/24 wan", "10.1.0.0/24 home", "10.2.0.0/24 home2"]


def test_a_gateway_knows_what_lies_deep_behind_it():
    topology = read(DEEP)
    assert routes(topology, "west") == [
        "192.0.2.0/24 core",
        "198.51.100.0/24 outside",
        "10.9.0.0/24 core via 192.0.2.1",
        "10.77.0.0/16 outside via 198.51.100.2",
        "0.0.0.0/0 outside via 198.51.100.2",
    ]
    assert routes(topology, "inner")[-1] == "0.0.0.0/0 core via 192.0.2.2"


def test_protected_is_the_side_of_a_gateway_that_does_not_lead_to_its_peer():
    def sides(topology, node):
        return {each.name: each.protected for each in topology.nodes[node].interfaces}

    assert sides(read(SITES), "west") == {"left": True, "wan": False}
    assert sides(read(SITES), "alice") == {"left": False}
    assert sides(read(DEEP), "west") == {"core": True, "outside": False}
    assert sides(read(DEEP), "bob") == {"home": False}


def test_a_ring_of_gateways_protects_what_touches_hosts():
    ring = """\
name: ring
nodes: {g: {kind: gateway, count: 3}, pc: {count: 3}}
links: {lan: [pc, g], ab: [g1, g2], bc: [g2, g3], ca: [g3, g1]}
tunnels: {mesh: [g, g]}
"""
    for node in ("g1", "g2", "g3"):
        sides = {each.name: each.protected for each in read(ring).nodes[node].interfaces}
        assert [name for name, inside in sides.items() if inside] == [f"lan{node[1]}"]


def test_shortest_paths_lead_through_routers():
    line = """\
name: line
nodes: {a: {}, r1: {kind: router}, r2: {kind: router}, r3: {kind: router}, b: {}}
links: {l1: [a, r1], l2: [r1, r2], l3: [r2, r3], l4: [r3, b], short: [r1, r3]}
"""
    topology = read(line)
    assert "10.2.0.0/24 short via 198.18.0.2" not in routes(topology, "r1")
    assert [each for each in routes(topology, "r1") if each.startswith("10.2.0.0/24")] == [
        "10.2.0.0/24 short via 203.0.113.2"
    ]


def test_pinned_networks_and_addresses_win_and_are_left_out_elsewhere():
    source = SITES.replace(
        "left: [alice, west]", "left: {endpoints: [alice, west], net: 10.2.0.0/24, addrs: {alice: 10.2.0.1}}"
    )
    found = addresses(read(source))
    assert found["alice"] == ["10.2.0.1/24"]
    assert found["west"][0] == "10.2.0.2/24"
    assert found["bob"] == ["10.1.0.2/24"]


def test_an_address_alone_pins_the_network_around_it():
    source = SITES.replace("wan: [west, east]", "wan: {endpoints: [west, east], addrs: {east: 172.20.5.9}}")
    assert addresses(read(source))["west"][1] == "172.20.5.1/24"


def test_the_same_network_twice_is_allowed_when_pinned():
    source = SITES.replace(
        "left: [alice, west]", "left: {endpoints: [alice, west], net: 10.1.0.0/24}"
    ).replace("right: [east, bob]", "right: {endpoints: [east, bob], net: 10.1.0.0/24}")
    assert addresses(read(source))["bob"] == addresses(read(source))["alice"]


def test_a_point_to_point_network_has_room_for_two():
    source = SITES.replace("wan: [west, east]", "wan: {endpoints: [west, east], net: 192.0.2.0/31}")
    assert addresses(read(source))["west"][1] == "192.0.2.0/31"


def test_many_links_run_through_all_pools():
    source = "name: big\nnodes: {pc: {count: 300}, g: {kind: gateway, count: 300}, r: {kind: router}}\n"
    topology = read(source + "links: {lan: [pc, g], up: [g, r]}\n")
    nets = [str(link.nets[0]) for link in topology.links.values()]
    assert len(set(nets)) == 600
    assert nets[254:257] == ["10.255.0.0/24", "10.1.1.0/24", "10.2.1.0/24"]
    assert nets[302:305] == ["203.0.113.0/24", "198.18.0.0/24", "198.18.1.0/24"]


def test_networks_of_ipv6_are_numbered_as_those_of_ipv4():
    assert addresses(read(SITES_6)) == {
        "alice": ["fd00:10:1::2/64"],
        "west": ["fd00:10:1::1/64", "2001:db8:1::1/64"],
        "east": ["2001:db8:1::2/64", "fd00:10:2::1/64"],
        "bob": ["fd00:10:2::2/64"],
    }
    assert routes(read(SITES_6), "alice") == ["fd00:10:1::/64 left", "::/0 left via fd00:10:1::1"]
    assert routes(read(SITES_6), "west")[-1] == "::/0 wan via 2001:db8:1::2"
    source = (
        "name: big\nip: 6\nnodes: {pc: {count: 300}, g: {kind: gateway, count: 300}, r: {kind: router}}\n"
    )
    nets = [str(link.nets[0]) for link in read(source + "links: {lan: [pc, g], up: [g, r]}\n").links.values()]
    assert len(set(nets)) == 600
    assert nets[254:257] == ["fd00:10:255::/64", "fd00:10:1:1::/64", "fd00:10:2:1::/64"]
    assert nets[300] == "2001:db8:1::/64"
    assert nets[-1] == "2001:db8:300::/64"


def test_with_both_versions_each_end_has_an_address_of_each():
    topology = read(DUAL)
    assert addresses(topology) == {
        "alice": ["10.5.0.9/24", "fd00:5::9/64"],
        "west": ["10.5.0.1/24", "fd00:5::1/64", "192.0.2.1/24", "2001:db8:7::1/64"],
        "east": ["192.0.2.2/24", "2001:db8:7::7/64", "10.1.0.1/24", "fd00:10:1::1/64"],
        "bob": ["10.1.0.3/24", "fd00:10:1::3/64"],
        "carol": ["10.1.0.2/24", "fd00:10:1::2/64"],
    }
    assert routes(topology, "west") == [
        "10.5.0.0/24 left",
        "192.0.2.0/24 wan",
        "0.0.0.0/0 wan via 192.0.2.2",
        "fd00:5::/64 left",
        "2001:db8:7::/64 wan",
        "fd00:77::/32 wan via 2001:db8:7::7",
        "::/0 wan via 2001:db8:7::7",
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SITES_6.replace("wan: [west, east]", "wan: {endpoints: [west, east], mtu: 1279}"), "an MTU of 1280"),
        (SITES_6.replace("wan: [west, east]", "wan: {endpoints: [west, east], net: 10.1.0.0/24}"), "no IPv4"),
        (SITES.replace("wan: [west, east]", "wan: {endpoints: [west, east], net: fd00::/64}"), "no IPv6"),
        (SITES.replace("wan: [west, east]", "wan: {endpoints: [west, east], addrs: {west: ::1}}"), "no IPv6"),
        (SITES.replace("bob: {kind: host}", "bob: {routes: [fd00::/64 via=east]}"), "no IPv6"),
        (SITES + "script: [do: ping alice bob ip=6]\n", "no IPv6; write  ip: both  at the top, or  ip: 6"),
        (SITES + "script: [do: ping alice bob ip=5]\n", "unknown word '5'"),
        (DUAL.replace("net: fd00:5::/64,", "net: [fd00:5::/64, fd00:6::/64],"), "two IPv6 networks"),
        (DUAL.replace("[10.5.0.9, fd00:5::9]", "[fd00:5::8, fd00:5::9]"), "has an IPv6 address"),
        (DUAL.replace("[10.5.0.9, fd00:5::9]", "[10.5.0.9, 'fd00:5::']"), "names the whole net fd00:5::/64"),
        (DUAL.replace("[10.5.0.9, fd00:5::9]", "fd00:6::9"), "fd00:6::9 is outside the net fd00:5::/64"),
        (DUAL.replace("remote_addrs: 2001", "local_addrs: 192.0.2.1, remote_addrs: 2001"), "different IP"),
    ],
)
def test_what_can_not_be_with_ipv6_is_refused(source, message):
    assert message in refusal(source)


def test_counted_networks_of_both_versions_count_upward():
    source = (
        "name: many\nip: both\nnodes: {pc: {count: 3}, g: {kind: gateway, count: 3}}\n"
        "links: {lan: {endpoints: [pc, g], net: [10.7.0.0/24, fd00:7::/64]}, up: [g1, g2, g3]}\n"
    )
    topology = read(source)
    assert [[str(net) for net in topology.links[f"lan{i}"].nets] for i in (1, 3)] == [
        ["10.7.0.0/24", "fd00:7::/64"],
        ["10.7.2.0/24", "fd00:7:0:2::/64"],
    ]


def test_an_own_route_replaces_the_automatic_one():
    source = SITES.replace("west: {kind: gateway}", "west: {kind: gateway, routes: [0.0.0.0/0 via=alice]}")
    assert routes(read(source), "west")[-1] == "0.0.0.0/0 left via 10.1.0.2"
    source = source.replace("via=alice", "via=10.1.0.77")
    assert read(source).nodes["west"].routes[-1].via == pack("10.1.0.77")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "wan: [west, east]",
            "wan: {endpoints: [west, east], net: 10.1.0.1/24}",
            "has host bits set; write 10.1.0.0/24",
        ),
        (
            "wan: [west, east]",
            "wan: {endpoints: [west, east], addrs: {bob: 10.1.0.1}}",
            "'bob' is not on link 'wan'",
        ),
        (
            "wan: [west, east]",
            "wan: {endpoints: [west, east], addrs: {wset: 10.1.0.1}}",
            "'wset' is no node, so not on",
        ),
        (
            "wan: [west, east]",
            "wan: {endpoints: [west, east], net: 10.1.0.0/24, addrs: {west: 10.1.0.255}}",
            "10.1.0.255 names the whole net 10.1.0.0/24, no single node",
        ),
        (
            "wan: [west, east]",
            "wan: {endpoints: [west, east], addrs: {west: 10.1.0}}",
            "'10.1.0' is no address",
        ),
        (
            "wan: [west, east]",
            "wan: {endpoints: [west, east], net: 10.1.0.0/32}",
            "has no room for the 2 ends",
        ),
        ("wan: [west, east]", "wan: [west:left, east]", "west has interface 'left' on link 'left' already"),
        ("bob: {kind: host}", "bob: {kind: host}\n  dave: {}", "'dave' is on no link; add it under links"),
        ("bob: {kind: host}", "bob: {routes: [10.7.0.0/16 via=alice]}", "'alice' is no neighbour of bob"),
        (
            "bob: {kind: host}",
            "bob: {routes: [10.7.0.0/16 va=east]}",
            "a route has no 'va'; did you mean 'via'?",
        ),
        ("bob: {kind: host}", "bob: {routes: [10.7.0.1/16 via=east]}", "'10.7.0.1/16' has host bits set"),
        (
            "bob: {kind: host}",
            "bob: {routes: [10.2.0.0/24 via=east]}",
            "10.2.0.1 is inside 10.2.0.0/24, so it can't",
        ),
    ],
)
def test_what_can_not_be_is_refused(before, after, message):
    assert message in refusal(SITES.replace(before, after))


def test_an_interface_without_a_link_draws_a_warning():
    topology = read(
        SITES.replace("bob: {kind: host}", "bob: {interfaces: {lan: {}, spare: {}}}").replace(
            "right: [east, bob]", "right: [east, bob:lan]"
        )
    )
    assert [each.message for each in topology.warnings] == ["interface 'spare' of bob is on no link"]


def line_of_routers(count: int) -> str:
    nodes = ", ".join(f"r{i}: {{kind: router}}" for i in range(count))
    links = ", ".join(f"l{i}: [r{i}, r{i + 1}]" for i in range(count - 1))
    return f"name: x\nnodes: {{{nodes}}}\nlinks: {{{links}}}\n"


def test_more_routes_than_any_lesson_needs_are_looked_up_but_not_listed():
    topology = read(line_of_routers(1500))
    routes, last = topology.nodes["r0"].routes, topology.links["l1498"].nets[0]
    assert [each.prefix for each in routes.learned(last.first)] == [last]
    with pytest.raises(ConfigError, match="make more than 2000000 routes to list"):
        len(routes)
