"""Virtual addresses in topologies: pools, vips, and connections that wait for anybody."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.experiment.run import Run
from ipsecsim.ike.pools import Pool
from ipsecsim.ipsec.policy import PolicyAction
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import expanded_yaml, read
from ipsecsim.scenario.build import build
from ipsecsim.scenario.pools import lending, networks
from ipsecsim.wire.ike.numbers import CfgAttribute
from tests.unit.scenario.examples import refusal, selector

BY_HAND = """\
name: visitors
ip: both
nodes:
  carol:
    ipsec:
      connections:
        home:
          remote_addrs: moon
          vips: [0.0.0.0, "::"]
          local: {auth: psk}
          remote: {auth: psk}
          children: {work: {remote_ts: [10.1.0.0/24, "fd01::/64"]}}
      secrets: {ike: {secret: hush}}
  moon:
    kind: gateway
    ipsec:
      connections:
        visitors:
          pools: [four, six]
          local: {auth: psk}
          remote: {auth: psk}
          children: {office: {local_ts: [10.1.0.0/24, "fd01::/64"]}}
      secrets: {ike: {secret: hush}}
      pools:
        four: {addrs: 10.9.0.0/24, dns: "10.1.0.53, 10.1.0.54", netmask: 255.255.255.0, subnet: 10.1.0.0/24}
        six: {addrs: "fd09::10-fd09::20", dns: "fd01::53", subnet: ["fd01::/64"]}
  server: {}
links: {inner: {endpoints: [moon, server], net: [10.1.0.0/24, "fd01::/64"]}, outer: [carol, moon]}
"""
SHORT = """\
name: short
nodes:
  carol: {}
  dave: {}
  moon: {kind: gateway, ipsec: {pools: {visitors: {addrs: 10.9.0.0/30}}}}
  server: {}
links: {outer: [carol, dave, moon], inner: [moon, server]}
tunnels:
  carol: {ends: [carol, moon], vips: 0.0.0.0, pools: visitors}
  dave: {ends: [dave, moon], vips: 0.0.0.0, pools: visitors}
"""


def test_a_client_protects_whatever_address_it_will_get():
    home = read(BY_HAND).nodes["carol"].ipsec.connections["home"]
    assert home.vips == (bytes(4), bytes(16))
    assert home.children["work"].local_ts == (selector("0.0.0.0/0"), selector("::/0"))


def test_a_gateway_protects_the_traffic_of_its_pools():
    visitors = read(BY_HAND).nodes["moon"].ipsec.connections["visitors"]
    assert (visitors.remote_addrs, visitors.remote.id, visitors.pools) == ((), "%any", ("four", "six"))
    nets = ["10.9.0.0/24", "fd09::10/124", "fd09::20/128"]
    assert visitors.children["office"].remote_ts == tuple(map(selector, nets))


def test_what_a_pool_tells_along_with_an_address():
    four, six = (lending(pool) for pool in read(BY_HAND).nodes["moon"].ipsec.pools.values())
    assert four == Pool(
        "four",
        pack("10.9.0.1"),
        pack("10.9.0.254"),
        (
            (CfgAttribute.INTERNAL_IP4_DNS, pack("10.1.0.53")),
            (CfgAttribute.INTERNAL_IP4_DNS, pack("10.1.0.54")),
            (CfgAttribute.INTERNAL_IP4_NETMASK, pack("255.255.255.0")),
            (CfgAttribute.INTERNAL_IP4_SUBNET, pack("10.1.0.0") + pack("255.255.255.0")),
        ),
    )
    assert (six.first, six.last) == (pack("fd09::10"), pack("fd09::20"))
    assert six.attributes == (
        (CfgAttribute.INTERNAL_IP6_DNS, pack("fd01::53")),
        (CfgAttribute.INTERNAL_IP6_SUBNET, pack("fd01::") + bytes([64])),
    )


@pytest.mark.parametrize(
    ("addrs", "nets"),
    [
        ("10.9.0.0/24", ["10.9.0.0/24"]),
        ("10.9.0.1-10.9.0.254", ["10.9.0.0/24"]),
        ("10.9.0.0/31", ["10.9.0.0/31"]),
        ("10.9.0.7-10.9.0.7", ["10.9.0.7/32"]),
        ("10.9.0.10-10.9.0.13", ["10.9.0.10/31", "10.9.0.12/31"]),
    ],
)
def test_the_networks_of_a_pool(addrs, nets):
    pool = read(SHORT.replace("10.9.0.0/30", addrs)).nodes["moon"].ipsec.pools["visitors"]
    assert list(map(str, networks(pool))) == nets


@pytest.mark.parametrize("source", [BY_HAND, SHORT])
def test_an_expanded_file_reads_back_to_an_equal_model(source):
    topology = read(source)
    assert read(expanded_yaml(topology)) == topology


def test_in_a_tunnel_the_first_end_asks_and_the_second_one_lends():
    topology = read(SHORT)
    carol, moon = (topology.nodes[name].ipsec.connections["carol"] for name in ("carol", "moon"))
    assert (carol.vips, carol.pools) == ((bytes(4),), ())
    assert (moon.vips, moon.pools) == ((), ("visitors",))
    assert carol.children["carol"].local_ts == (selector("0.0.0.0/0"),)
    assert moon.children["carol"].remote_ts == (selector("10.9.0.0/30"),)


def test_a_gateway_speaks_ike_at_its_far_side():
    world = build(read(BY_HAND))
    moon = world.simulator.nodes["moon"]
    assert isinstance(moon, VpnGateway)
    (connection,) = moon.ike.connections
    outer = moon.stack.interfaces["outer"]
    assert connection.local_address == outer.address


def test_two_clients_share_a_pool_without_sharing_a_rule():
    run = Run(read(SHORT + "script: [do: [ping carol server count=2, ping dave server count=2]]\n")).run()
    assert check(run.recorder, run.world.simulator) == []
    moon = run.world.simulator.nodes["moon"]
    assert isinstance(moon, VpnGateway)
    protecting = [each for each in moon.ipsec.spd.policies if each.action is PolicyAction.PROTECT]
    assert [[str(row) for row in each.selectors] for each in protecting] == [
        ["10.2.0.0/24 === 10.9.0.1/32"],
        ["10.2.0.0/24 === 10.9.0.2/32"],
    ]
    # the first packet of each had no virtual address to come from when it was made
    assert [(each.sent, each.received) for each in run.world.pings.values()] == [(2, 1), (2, 1)]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SHORT.replace("10.9.0.0/30", "10.9.0.1/24"), "'10.9.0.1/24' has host bits set; write 10.9.0.0/24"),
        (SHORT.replace("10.9.0.0/30", "10.9.0.9-10.9.0.1"), "is no range of addresses"),
        (SHORT.replace("10.9.0.0/30", '"10.9.0.9-fd00::1"'), "is no range of addresses"),
        (SHORT.replace("{addrs: 10.9.0.0/30}", "{dns: 10.1.0.1}"), "addrs"),
        (SHORT.replace("10.9.0.0/30", '"fd09::/64"'), "this topology has no IPv6; write  ip: both"),
        (SHORT.replace("vips: 0.0.0.0", "vips: anything"), "'anything' is no address"),
        (SHORT.replace("vips: 0.0.0.0", 'vips: "::"'), "this topology has no IPv6; write  ip: both"),
        (SHORT.replace("pools: visitors", "pools: vistors"), "draws from pool 'vistors', which is not under"),
        (BY_HAND.replace("netmask: 255.255.255.0", 'netmask: "fd::"'), "is for IPv4 only"),
        (BY_HAND.replace("pools: [four, six]", "pools: [four, seven]"), "draws from pool 'seven'"),
        (BY_HAND.replace("          pools: [four, six]\n", ""), "say what is at the peer's side: pools:"),
        (
            BY_HAND.replace('local_ts: [10.1.0.0/24, "fd01::/64"]', "start_action: start"),
            "has no remote_addrs, so it can't start anything; write start_action: none",
        ),
        (
            BY_HAND.replace("dns: ", "server: 10.1.0.9, dns: ", 1),
            "not yet: attributes of other makers (server:)",
        ),
    ],
)
def test_what_can_not_be_is_refused(source, message):
    assert message in refusal(source)
