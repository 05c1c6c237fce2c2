import pytest

from ipsecsim.base.instant import MILLISECOND
from ipsecsim.scenario import read
from tests.unit.scenario.examples import MESH, SITES, STAR, refusal


def test_equal_counts_pair_and_one_fans_out():
    topology = read(STAR)
    assert [node for node, _ in topology.links["lan2"].endpoints] == ["pc2", "branch2"]
    assert [node for node, _ in topology.links["access3"].endpoints] == ["branch3", "internet"]
    assert [end.node for end in topology.tunnels["star1"].ends] == ["branch1", "hub"]
    assert list(topology.nodes["hub"].ipsec.connections) == ["star1", "star2", "star3"]


def test_a_counted_net_counts_upward():
    topology = read(STAR)
    assert [str(topology.links[f"lan{i}"].nets[0]) for i in (1, 2, 3)] == [
        f"10.101.{i}.0/24" for i in range(3)
    ]


def test_the_same_family_twice_means_every_pair():
    topology = read(MESH)
    assert list(topology.tunnels) == ["mesh1-2", "mesh1-3", "mesh2-3"]
    assert topology.expect[0].subject.names == ("mesh1-2", "mesh1-3", "mesh2-3")


def test_defaults_stand_below_groups_and_groups_below_nodes():
    source = """\
name: layers
defaults: {node: {kind: router}, link: {delay: 9ms, mtu: 1400}}
groups: {ends: {nodes: [a, b], kind: host}}
nodes: {a: {}, b: {}, r: {}, g: {kind: gateway}}
links: {one: [a, r], two: {endpoints: [r, g], mtu: 1300}, three: [g, b]}
"""
    topology = read(source)
    assert {name: node.kind for name, node in topology.nodes.items()} == {
        "a": "host",
        "b": "host",
        "r": "router",
        "g": "gateway",
    }
    assert [link.options.mtu for link in topology.links.values()] == [1400, 1300, 1400]
    assert {link.options.delay for link in topology.links.values()} == {9 * MILLISECOND}
    assert topology.groups == {"ends": ("a", "b")}


def test_a_node_may_name_its_group():
    source = SITES.replace("bob: {kind: host}", "bob: {group: far}") + "groups: {far: {kind: host}}\n"
    assert read(source).groups == {"far": ("bob",)}


def test_a_sentence_means_all_members():
    script = read(STAR).script
    assert [action.text for action in script[0].do] == [
        f"ping pc{i} server count=10 interval=1s" for i in (1, 2, 3)
    ]
    assert [action.name for action in script[0].do] == ["ping", "ping 2", "ping 3"]
    assert [action.text for action in script[1].do[1:]] == [
        *(f"send pc{i} server" for i in (1, 2, 3)),
        "initiate star3",
        "note the end",
    ]


def test_a_claim_means_all_members():
    tunnel, _, packets, ping = read(STAR).expect
    assert tunnel.subject.names == ("star1", "star2", "star3")
    node, link = packets.subject.where
    assert (node.key, node.values) == ("node", ("branch2", "branch3"))
    assert (link.key, link.values) == ("link", ("access1", "access2", "access3"))
    assert ping.subject.names == ("ping", "pc", "server")
    assert [each.values for each in ping.subject.where] == [("pc1", "pc2", "pc3"), ("server",)]


def test_a_setting_may_mean_one_of_many():
    topology = read(STAR, settings=[("links.access2.delay", "7ms"), ("tunnels.star3.dpd_delay", "5s")])
    assert [topology.links[f"access{i}"].options.delay // MILLISECOND for i in (1, 2, 3)] == [20, 7, 20]
    assert topology.nodes["branch3"].ipsec.connections["star3"].dpd_delay == 5_000_000_000
    assert topology.nodes["branch2"].ipsec.connections["star2"].dpd_delay == 0


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "branch: {kind: gateway, count: 3}",
            "branch: {kind: gateway, count: 4}",
            "joins groups of 3 and 4; counts",
        ),
        (
            "[branch2, branch3]",
            "[branch2, brunch3]",
            "group 'old' names 'brunch3', which is not under nodes; did",
        ),
        (
            "access: {endpoints: [branch, internet]",
            "access: {endpoints: [branhc, internet]",
            "did you mean 'branch'?",
        ),
        ("groups: {old:", "groups: {pc:", "'pc' is a node and a group"),
        (
            "hub: {kind: gateway}",
            "pc2: {kind: gateway}",
            "'pc2' is one of a counted node and also a node of its own",
        ),
        ("count: 3}", "count: 0}", "0 is out of range; write 1 to 10000"),
        (
            "net: 10.101.0.0/24}",
            "addrs: {pc: 10.1.0.1}}",
            "link 'lan' is counted, so its addresses can't be pinned",
        ),
        ("net: 10.101.0.0/24}", "net: 255.255.255.0/24}", "leaves no room to count so far upward"),
        (
            "ends: [branch, hub]",
            "ends: [branch, internet]",
            "tunnel 'star' ends at 'internet', a router; tunnels end",
        ),
        ("ends: [branch, hub]", "ends: [hub, hub]", "tunnel 'star' leads from 'hub' to itself"),
        ("ends: [branch, hub]", "ends: [branch]", "tunnel 'star' has one end; a tunnel has two"),
        ("[internet, hub]", "[internet]", "link 'trunk' has one end; a link joins two nodes or more"),
        ("[internet, hub]", "[hub, hub]", "link 'trunk' joins 'hub' to itself"),
        ("ping pc server", "ping pc branch4", "no node 'branch4'; did you mean"),
    ],
)
def test_what_does_not_fit_is_refused(before, after, message):
    assert message in refusal(STAR.replace(before, after))


def test_counts_have_a_bound():
    many = "name: x\nnodes: {g: {kind: gateway, count: 1000}}\nlinks: {l: [g, g]}\ntunnels: {m: [g, g]}\n"
    assert "more than 50000" in refusal(many.replace("l: [g, g]", "l: [g, h]").replace("}}", "}, h: {}}", 1))


def test_a_lan_has_room_for_a_slash_24():
    ends = ", ".join(f"n{i}" for i in range(255))
    nodes = ", ".join(f"n{i}: {{}}" for i in range(255))
    assert "link 'l' has 255 ends; at most 254 fit" in refusal(
        f"name: x\nnodes: {{{nodes}}}\nlinks: {{l: [{ends}]}}\n"
    )


def test_a_script_has_a_bound():
    many = "name: x\nnodes: {a: {count: 10000}, b: {kind: router}}\nlinks: {l: [a, b]}\n"
    assert "the script does more than 50000 things" in refusal(
        many + "script: [" + ", ".join(["do: ping a b"] * 6) + "]\n"
    )
