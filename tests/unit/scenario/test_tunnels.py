import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.instant import SECOND
from ipsecsim.scenario import read
from tests.unit.scenario.examples import BY_HAND, DEEP, DUAL, SITES, SITES_6, refusal, selector


def connection(topology, node: str, name: str = "net"):
    return topology.nodes[node].ipsec.connections[name]


def tunnel(text: str) -> str:
    return SITES.replace("net: [west, east]", f"net: {{ends: [west, east], {text}}}")


def test_a_tunnel_said_once_is_set_up_at_both_ends():
    topology = read(SITES)
    west, east = connection(topology, "west"), connection(topology, "east")
    assert (west.local_addrs, west.remote_addrs) == ((pack("192.0.2.1"),), (pack("192.0.2.2"),))
    assert (east.local_addrs, east.remote_addrs) == (west.remote_addrs, west.local_addrs)
    assert (west.local.id, west.remote.id) == ("west.example", "east.example")
    assert (east.local.id, east.remote.id) == ("east.example", "west.example")
    assert west.children["net"].local_ts == east.children["net"].remote_ts == (selector("10.1.0.0/24"),)
    assert {each.children["net"].start_action for each in (west, east)} == {"trap"}
    assert topology.nodes["west"].ipsec.secrets == topology.nodes["east"].ipsec.secrets
    assert topology.nodes["alice"].ipsec is None


def test_a_tunnel_over_ipv6_has_selectors_of_ipv6():
    west = connection(read(SITES_6), "west")
    assert (west.local_addrs, west.remote_addrs) == ((pack("2001:db8:1::1"),), (pack("2001:db8:1::2"),))
    assert west.children["net"].local_ts == (selector("fd00:10:1::/64"),)
    hosts = "name: hosts\nip: 6\nnodes: {a: {}, b: {}}\nlinks: {lan: [a, b]}\ntunnels: {ab: [a, b]}\n"
    child = connection(read(hosts), "a", "ab").children["ab"]
    assert (child.local_ts, child.remote_ts) == (
        (selector("fd00:10:1::1/128"),),
        (selector("fd00:10:1::2/128"),),
    )


def test_with_both_versions_a_tunnel_is_over_ipv4_and_protects_both():
    west = connection(read(SITES + "ip: both\n"), "west")
    assert west.remote_addrs == (pack("192.0.2.2"),)
    assert west.children["net"].local_ts == (selector("10.1.0.0/24"), selector("fd00:10:1::/64"))


def test_an_address_of_one_end_decides_the_version_of_both():
    west = connection(read(DUAL), "west", "old_in_new")
    assert (west.local_addrs, west.remote_addrs) == ((pack("2001:db8:7::1"),), (pack("2001:db8:7::7"),))
    child = west.children["old_in_new"]
    assert child.local_ts == (selector("10.5.0.0/24"),)
    assert child.remote_ts == (selector("10.1.0.3/32"), selector("fd00:10:1::3/128"))


def test_left_out_values_are_swanctls():
    west = connection(read(SITES), "west")
    assert (west.version, west.rekey_time, west.over_time, west.rand_time) == (
        2,
        14400 * SECOND,
        1440 * SECOND,
        1440 * SECOND,
    )
    assert (west.mobike, west.encap, west.dpd_delay, west.unique, west.keyingtries) == (
        True,
        False,
        0,
        "no",
        1,
    )
    child = west.children["net"]
    assert (child.rekey_time, child.life_time, child.rand_time) == (
        3600 * SECOND,
        3960 * SECOND,
        360 * SECOND,
    )
    assert (child.replay_window, child.mode, child.copy_dscp) == (32, "tunnel", "out")
    assert west.proposals[0].words == "aes256gcm16-prfsha256-x25519"
    assert child.esp_proposals[0].words == "aes256gcm16"


def test_the_secret_comes_from_the_seed_and_a_written_one_wins():
    def secret(topology):
        return topology.nodes["west"].ipsec.secrets["ike-net"].secret

    assert secret(read(SITES)) == secret(read(SITES))
    assert secret(read(SITES)) != secret(read(SITES, seed=2))
    assert secret(read(SITES, seed=2)) == secret(read(SITES + "seed: 2\n"))
    assert secret(read(tunnel("secret: 0x0102"))) == b"\x01\x02"
    by_node = "west: {kind: gateway, ipsec: {secrets: {ike-net: {secret: mine}}}}"
    topology = read(SITES.replace("west: {kind: gateway}", by_node))
    assert secret(topology) == b"mine"
    assert topology.nodes["west"].ipsec.secrets["ike-net"].ids == ("west.example", "east.example")


def test_what_a_node_says_itself_wins_at_its_end_only():
    by_node = "east: {kind: gateway, ipsec: {connections: {net: {proposals: aes128-sha256-ecp256}}}}"
    topology = read(SITES.replace("east: {kind: gateway}", by_node))
    assert connection(topology, "east").proposals[0].words == "aes128-sha256-ecp256"
    assert connection(topology, "west").proposals[0].words == "aes256gcm16-prfsha256-x25519"


def test_what_is_local_to_the_first_end_is_remote_to_the_second():
    topology = read(tunnel("local: {id: me@example}, child: {local_ts: 10.1.0.0/25, start_action: start}"))
    west, east = connection(topology, "west"), connection(topology, "east")
    assert (west.local.id, east.remote.id) == ("me@example", "me@example")
    assert west.children["net"].local_ts == east.children["net"].remote_ts == (selector("10.1.0.0/25"),)
    assert (west.children["net"].start_action, east.children["net"].start_action) == ("start", "trap")
    assert topology.nodes["east"].ipsec.secrets["ike-net"].ids == ("me@example", "east.example")


def test_nobody_starts_when_the_tunnel_says_none():
    topology = read(tunnel("child: {start_action: none}"))
    assert {connection(topology, node).children["net"].start_action for node in ("west", "east")} == {"none"}


def test_hosts_protect_themselves_and_gateways_what_is_behind_them():
    topology = read(DEEP)
    bob = connection(topology, "bob", "rw").children["rw"]
    assert bob.local_ts == (selector("10.1.0.2/32"),)
    assert bob.remote_ts == (selector("10.9.0.0/24"), selector("192.0.2.0/24"))
    two = connection(topology, "carol", "two").children
    assert (two["a"].remote_ts[0].protocol, two["a"].remote_ts[0].start_port) == (6, 80)
    assert two["b"].remote_ts == (selector("10.9.0.77/32"),)
    assert topology.tunnels["two"].children == ("a", "b")


def test_commas_lists_and_bare_seconds_are_read_as_swanctl_does():
    rw = connection(read(DEEP), "west", "rw")
    assert [each.words for each in rw.proposals] == ["aes256-sha256-modp2048", "aes256gcm16-prfsha384-ecp384"]
    assert [each.words for each in rw.children["rw"].esp_proposals] == ["aes128gcm16", "aes256-sha256"]
    assert rw.dpd_delay == 10 * SECOND


def test_a_connection_by_hand_is_a_tunnel_by_its_childs_name():
    topology = read(BY_HAND)
    assert [end.node for end in topology.tunnels["net"].ends] == ["alice", "bob"]
    assert not topology.tunnels["net"].written
    alice = connection(topology, "alice", "peer")
    assert alice.remote_addrs == (pack("10.1.0.2"),)
    assert alice.local_addrs == ()
    assert (alice.remote.id, connection(topology, "bob", "peer").remote.id) == ("bob.example", "%any")
    assert alice.children["net"].local_ts == (selector("10.1.0.1/32"),)


def test_children_of_a_tunnel_have_names_too():
    topology = read(DEEP)
    initiate = topology.script[1].do
    assert [(each.tunnel, each.node, each.child) for each in initiate] == [
        *(("two", "carol", child) for child in ("a", "b")),
        ("b", "carol", "b"),
    ]
    assert [end.node for end in topology.tunnels["b"].ends] == ["west", "carol"]


def test_transport_mode_is_for_a_gateways_own_packets():
    refused = "transport mode protects only a gateway's own packets (RFC 4301 4.1)"
    assert refused in refusal(tunnel("child: {mode: transport}"))
    assert refused in refusal(tunnel("child: {mode: transport, local_ts: dynamic}"))
    own = tunnel("child: {mode: transport, local_ts: dynamic, remote_ts: east}")
    child = connection(read(own), "west").children["net"]
    assert (child.mode, child.local_ts, child.remote_ts) == (
        "transport",
        (selector("192.0.2.1/32"),),
        (selector("192.0.2.2/32"),),
    )


def test_ah_stands_in_the_place_of_esp_unless_both_are_named():
    child = connection(read(tunnel("child: {ah_proposals: sha256-esn}")), "west").children["net"]
    assert [each.words for each in child.proposals] == ["sha256-esn"]
    both = tunnel("child: {ah_proposals: sha256, esp_proposals: default}")
    child = connection(read(both), "west").children["net"]
    assert [each.words for each in child.proposals] == ["aes256gcm16", "sha256"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SITES.replace("  wan: [west, east]\n", ""), "tunnel 'net': no path leads from west to east"),
        (
            SITES.replace("net: [west, east]", "net: [west, nobody]"),
            "tunnel 'net' ends at 'nobody', which is not under",
        ),
        (
            tunnel("esp_proposals: aes256gcm16"),
            "tunnels.net has no key 'esp_proposals'; it belongs under 'child:'",
        ),
        (tunnel("updown: x"), "'updown' has no meaning here: no scripts run here"),
        (tunnel("child: {updown: x}"), "'updown' has no meaning here: no scripts run here"),
        (tunnel("if_id_in: 7"), "'if_id_in' has no meaning here: there are no XFRM interfaces here"),
        (tunnel("child: {local_ts: 10.1.0.1/24}"), "'10.1.0.1/24' has host bits set; write 10.1.0.0/24"),
        (tunnel("child: {local_ts: alcie}"), "no node 'alcie'; did you mean 'alice'?"),
        (tunnel("secret: 0x123"), "after 0x stand pairs of hexadecimal digits"),
        (
            BY_HAND.replace("ike-1:", "psk:"),
            "'psk': a secret's name begins with its kind; write for example ike-psk",
        ),
        (BY_HAND.replace("secret: 0sAQL/", "id: x"), "'ike' holds no secret"),
        (BY_HAND.replace("children: {net: {}}", "mobike: yes"), "connection 'peer' has no children"),
        (BY_HAND.replace("remote_addrs: bob\n", "remote_addrs: bbo\n"), "no node 'bbo'; did you mean 'bob'?"),
    ],
)
def test_what_can_not_be_is_refused(source, message):
    assert message in refusal(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (tunnel("version: 1"), "not yet: IKEv1"),
        (tunnel("auth: eap-tls"), "not yet: auth: eap-tls"),
        (tunnel("local: {auth: rsa-2048}"), "not yet: the strength of keys in auth:"),
        (tunnel("child: {esp_proposals: cast128-sha256}"), "not yet: 'cast128' in a proposal"),
        (
            tunnel("child: {esp_proposals: aes128gcm16-esn-noesn, replay_window: 0}"),
            "extended sequence numbers need a replay window",
        ),
        (SITES + "groups: {g: {nodes: [bob], mss_clamp: auto}}\n", "not yet: MSS clamping"),
        (
            BY_HAND.replace("remote_addrs: bob", "remote_addrs: any"),
            "has no remote_addrs, so it can't start anything",
        ),
        (BY_HAND.replace("ike-1:", "eap-1:"), "not yet: secrets for eap"),
        (
            BY_HAND.replace(
                "remote: {auth: psk}\n", "remote: {auth: psk}\n          local-2: {auth: psk}\n", 1
            ),
            "several auth",
        ),
    ],
)
def test_what_is_not_there_yet_is_refused_by_name_and_place(source, message):
    text = refusal(source)
    assert message in text
    assert text.startswith("<text>:")
