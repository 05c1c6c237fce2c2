"""`nat:` of a node: which link is outside, who knows what is behind it, and how it behaves."""

import pytest

from ipsecsim.base.address import Prefix, pack, unpack
from ipsecsim.base.instant import SECOND
from ipsecsim.scenario import read
from ipsecsim.stack.match import Addresses, Match, Numbers
from ipsecsim.stack.nat.behaviour import PRESETS, Dependence, EspHandling, Forward, OneToOne
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.scenario.examples import refusal

HOME = """
name: home
nodes:
  pc: {kind: host}
  box: {kind: nat, nat: NAT}
  internet: {kind: router}
  server: {kind: host}
links:
  lan: [pc, box]
  dsl: [box, internet]
  web: [internet, server]
"""


def home(nat: str = "home_router", **changes: str):
    text = HOME.replace("NAT", nat)
    for old, new in changes.items():
        text = text.replace(old, new)
    return read(text)


def test_the_link_towards_the_nearest_router_is_outside():
    assert home().nodes["box"].nat.outside == "dsl"
    assert home(dsl="outside", lan="a").nodes["box"].nat.outside == "outside"
    assert home("{outside: lan}").nodes["box"].nat.outside == "lan"


def test_where_both_look_the_same_the_file_has_to_say():
    text = "name: x\nnodes:\n  a: {}\n  box: {kind: nat}\n  b: {}\nlinks:\n  one: [a, box]\n  two: [box, b]\n"
    message = refusal(text)
    assert "which link of box is outside? one and two look the same; write  nat: {outside: two}" in message
    assert "box is on one and two, not on 'three'" in refusal(
        text.replace("{kind: nat}", "{kind: nat, nat: {outside: three}}").replace(
            "two: [box, b]", "two: [box, b]\n  three: [a, b]"
        )
    )


def test_what_is_behind_it_has_addresses_of_its_own_that_nobody_outside_knows():
    topology = home()
    lan = topology.links["lan"].nets[0]
    assert lan == Prefix.parse("192.168.1.0/24")
    assert all(
        route.prefix != lan for name in ("internet", "server") for route in topology.nodes[name].routes
    )
    assert [unpack(route.via) for route in topology.nodes["pc"].routes if route.via] == ["192.168.1.1"]
    assert any(route.prefix.length == 0 for route in topology.nodes["box"].routes)


def test_without_translation_it_is_a_router():
    topology = home("none")
    assert topology.nodes["box"].nat is None
    lan = topology.links["lan"].nets[0]
    assert lan == Prefix.parse("10.1.0.0/24")
    assert any(route.prefix == lan for route in topology.nodes["internet"].routes)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_go_by_their_names(name):
    assert home(name).nodes["box"].nat.behaviour == PRESETS[name]


def test_every_word_is_heard():
    nat = (
        home(
            "{preset: symmetric, mapping: address_dependent, filtering: endpoint_independent, ports: random, "
            "timeouts: {udp: 30s, tcp_transitory: 5m}, hairpinning: yes, ports_per_host: 7, "
            "esp: by_spi, ah: pass, ike_helper: yes, pool: [198.51.100.7], "
            "forward: [proto=udp port=500|4500-4510 to=pc, to=pc, dst=192.0.2.9 to=pc], "
            "exempt: [dst=10.2.0.0/24, proto=udp dst=server dport=53]}"
        )
        .nodes["box"]
        .nat
    )
    behaviour = nat.behaviour
    assert (behaviour.mapping, behaviour.filtering) == (Dependence.ADDRESS, Dependence.NOTHING)
    assert behaviour.most_per_host == 7
    assert behaviour.timeouts.tcp_transitory == 300 * SECOND
    assert (behaviour.timeouts.udp, behaviour.timeouts.tcp) == (
        30 * SECOND,
        PRESETS["symmetric"].timeouts.tcp,
    )
    assert (behaviour.hairpinning, behaviour.esp, behaviour.ah, behaviour.ike_helper) == (
        True,
        EspHandling.BY_SPI,
        True,
        True,
    )
    assert [unpack(address) for address in nat.pool] == ["198.51.100.7"]
    inside = behaviour.forwards[0].inside
    assert unpack(inside) == "192.168.1.2"
    assert behaviour.forwards == (
        Forward(IpProtocol.UDP, ((500, 500), (4500, 4510)), inside),
        Forward(None, (), inside),
    )
    assert behaviour.one_to_one == (OneToOne(inside, pack("192.0.2.9")),)
    far = pack("10.1.0.2")
    network = Addresses("dst", ((pack("10.2.0.0"), pack("10.2.0.255")),))
    assert behaviour.exempt == (
        Match((network,)),
        Match(
            (Numbers("proto", ((17, 17),)), Addresses("dst", ((far, far),)), Numbers("dport", ((53, 53),)))
        ),
    )


def test_whoever_can_not_be_called_is_waited_for():
    topology = read("behind_nat")
    (far,) = topology.nodes["east"].ipsec.connections.values()
    assert far.remote_addrs == ()
    (child,) = far.children.values()
    assert child.start_action == "none"
    (near,) = topology.nodes["west"].ipsec.connections.values()
    assert near.remote_addrs


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("exempt: [dst=sever]", "no node 'sever'; did you mean 'server'?"),
        ("exempt: [state=new]", "an exemption has no 'state'"),
        ("exempt: ['proto<17']", "'proto' is no number to compare; write proto= or proto!="),
        ("exempt: ['dport<10-20']", "a range goes with = or !=; write dport=10-20"),
        ("forward: [proto=udp port=500-400 to=pc]", "the port range '500-400' is upside down"),
        ("forward: ['proto=udp port!=500 to=pc']", "a forward compares with = only"),
        ("forward: [proto=udp to=pc|server]", "'to' takes one value"),
        ("forward: [dst=server to=pc]", "'server' is no IPv4 address"),
        (
            "forward: [dst=192.0.2.9 port=53 to=pc]",
            "an outside address is led inside as a whole; leave port= out, or dst=",
        ),
        ("pool: [somewhere]", "'somewhere' is no address"),
    ],
)
def test_what_a_nat_can_not_do_is_refused_in_its_place(said, message):
    text = HOME.replace("NAT", f"{{{said}}}")
    refused = refusal(text)
    assert refused.startswith("<text>:5:")
    assert message in refused


def test_a_forward_of_any_protocol_is_one_of_all():
    forwards = home("{forward: [proto=any to=pc]}").nodes["box"].nat.behaviour.forwards
    assert [each.protocol for each in forwards] == [None]
