"""params, extends, set and matrix: how one file is made of others and of settings."""

import pytest

from ipsecsim.base.instant import MILLISECOND
from ipsecsim.scenario import check, read
from tests.unit.scenario.examples import SITES, refusal

WITH_PARAMS = SITES.replace("name: sites\n", "name: sites\nparams: {d: 5ms, n: 3}\n").replace(
    "wan: [west, east]", "wan: {endpoints: [west, east], delay: $d}"
)


def test_a_parameter_fills_in_a_whole_word():
    topology = read(WITH_PARAMS + "script: [do: ping alice bob count=$n]\n")
    assert topology.links["wan"].options.delay == 5 * MILLISECOND
    assert topology.script[0].do[0].text == "ping alice bob count=3"
    assert topology.params == {"d": "5ms", "n": "3"}


def test_a_parameter_may_be_given_from_outside():
    assert read(WITH_PARAMS, params={"d": "7ms"}).links["wan"].options.delay == 7 * MILLISECOND


@pytest.mark.parametrize(
    ("written", "secret"),
    [("pa$word", b"pa$word"), ("$$ecret", b"$ecret"), ("$", b"$"), ("$5", b"$5"), ("a$$b", b"a$$b")],
)
def test_a_dollar_elsewhere_is_text(written, secret):
    topology = read(SITES.replace("net: [west, east]", f"net: {{ends: [west, east], secret: {written}}}"))
    assert topology.nodes["west"].ipsec.secrets["ike-net"].secret == secret


def test_parameters_that_are_not_there_are_refused():
    assert (
        refusal(WITH_PARAMS, params={"dd": "1ms"})
        == "dd='1ms': there is no parameter 'dd'; did you mean 'd'?"
    )
    assert "the topology has no params" in refusal(SITES, params={"d": "1ms"})
    assert "'$dd' is not in params; did you mean '$d'?" in refusal(
        WITH_PARAMS.replace("delay: $d", "delay: $dd")
    )


@pytest.mark.parametrize("name", ["seed", "at", "until", "record"])
def test_words_with_a_meaning_are_no_parameters(name):
    assert "is no name for a parameter" in refusal(SITES + f"params: {{{name}: 1}}\n")


def test_a_value_from_outside_is_called_by_its_path():
    assert refusal(SITES, settings=[("links.wan.mtu", "14OO")]).startswith(
        "links.wan.mtu='14OO': '14OO' is no"
    )


@pytest.mark.parametrize(
    ("path", "value", "look"),
    [
        ("links.wan.delay", "9ms", lambda t: t.links["wan"].options.delay == 9 * MILLISECOND),
        ("tunnels.net.child.replay_window", "64", lambda t: _child(t).replay_window == 64),
        ("nodes.west.ipsec.connections.net.encap", "yes", lambda t: _connection(t).encap),
        ("nodes.west.routes", "[10.7.0.0/16 via=east]", lambda t: len(t.nodes["west"].routes) == 4),
        ("links.left", "[alice, west]", lambda t: len(t.links["left"].endpoints) == 2),
        ("seed", "9", lambda t: t.seed == "9"),
        ("links.wan.addrs.west", "192.0.2.9", lambda t: _connection(t).local_addrs == (b"\xc0\x00\x02\x09",)),
        ("nodes.bob.kind", "host", lambda t: t.nodes["bob"].kind == "host"),
    ],
)
def test_a_setting_changes_what_exists(path, value, look):
    assert look(read(SITES, settings=[(path, value)]))


def _connection(topology):
    return topology.nodes["west"].ipsec.connections["net"]


def _child(topology):
    return _connection(topology).children["net"]


def test_a_tunnels_setting_reaches_both_ends_and_a_nodes_only_one():
    topology = read(SITES, settings=[("nodes.east.ipsec.secrets.ike-net.secret", "tpyo")])
    assert topology.nodes["east"].ipsec.secrets["ike-net"].secret == b"tpyo"
    assert topology.nodes["west"].ipsec.secrets["ike-net"].secret != b"tpyo"
    both = read(SITES, settings=[("tunnels.net.secret", "same")])
    assert {node.ipsec.secrets["ike-net"].secret for node in both.nodes.values() if node.ipsec} == {b"same"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("links.wna.delay", "there is no links.wna; did you mean 'wan'?"),
        ("links.wan.dealy", "links.wan has no key 'dealy'; did you mean 'delay'?"),
        ("link.wan.delay", "the file has no key 'link'; did you mean 'links'?"),
        ("nodes.west.ipsec.secrets.ike-nett.secret", "did you mean 'ike-net'?"),
        ("nodes.new", "there is no nodes.new"),
        ("links.wan.delay.unit", "there is nothing below links.wan.delay"),
        ("nodes.west.ipsec.connections.net.remote_adrs", "connection 'net' has no key 'remote_adrs'"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path, message):
    assert message in refusal(SITES, settings=[(path, "1")])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base.yaml").write_text(SITES)
    return tmp_path


def test_a_file_extends_its_neighbour(folder):
    path = folder / "other.yaml"
    path.write_text("name: other\nextends: base\nlinks: {wan: {delay: 3ms}}\nset: {links.left.delay: 4ms}\n")
    topology = read(path)
    assert topology.name == "other"
    assert [topology.links[name].options.delay // MILLISECOND for name in ("left", "wan")] == [4, 3]
    assert topology.tunnels["net"].ends == read(SITES).tunnels["net"].ends


def test_a_list_replaces_and_a_mapping_merges(folder):
    path = folder / "other.yaml"
    path.write_text("name: other\nextends: base.yaml\nlinks: {wan: [east, west]}\nstory: new\n")
    assert [node for node, _ in read(path).links["wan"].endpoints] == ["east", "west"]


def test_a_mistake_in_the_extended_file_is_placed_there(folder):
    (folder / "base.yaml").write_text(SITES.replace("[west, east]", "[west, eats]", 1))
    path = folder / "other.yaml"
    path.write_text("name: other\nextends: base\n")
    assert refusal(path).startswith(f"{folder / 'base.yaml'}:9:15: link 'wan' ends at 'eats'")


def test_a_text_extends_the_library():
    assert read("name: mine\nextends: site_to_site\n").tunnels["net"].ends[0].node == "west"


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("bsae", "there is no topology 'bsae' beside this one or in the library; did you mean 'base'?"),
        ("other", "'other' ends up extending itself"),
        ("../secret.yaml", "'../secret.yaml' lies outside the folder of the topology"),
        ("[a, b]", "extends names one topology"),
    ],
)
def test_extending_what_is_not_there_is_refused(folder, extends, message):
    (folder.parent / "secret.yaml").write_text(SITES)
    path = folder / "other.yaml"
    path.write_text(f"name: other\nextends: {extends}\n")
    assert message in refusal(path)


def test_a_link_out_of_the_folder_is_not_followed(folder):
    outside = folder.parent / "outside.yaml"
    outside.write_text(SITES)
    (folder / "inside.yaml").symlink_to(outside)
    path = folder / "other.yaml"
    path.write_text("name: other\nextends: inside\n")
    assert "lies outside the folder" in refusal(path)


def test_a_long_chain_is_refused(folder):
    for number in range(12):
        (folder / f"c{number}.yaml").write_text(f"name: c{number}\nextends: c{number + 1}\n")
    (folder / "c12.yaml").write_text(SITES)
    assert "more than 8 topologies extend one another" in refusal(folder / "c0.yaml")
    assert read(folder / "c5.yaml").name == "c5"


def test_an_axis_is_a_parameter_or_a_path():
    good = WITH_PARAMS + "matrix: {d: [1ms, 2ms], links.wan.mtu: [1400, 1500]}\n"
    assert check(good).later == ()
    assert read(good).matrix == {"d": ("1ms", "2ms"), "links.wan.mtu": ("1400", "1500")}
    assert "axis 'x' is neither a parameter nor a path" in refusal(WITH_PARAMS + "matrix: {x: [1]}\n")
    assert "links.wan has no key 'mtuu'" in refusal(WITH_PARAMS + "matrix: {links.wan.mtuu: [1]}\n")
    assert "the matrix has no axis 'n'; known: d, links.wan.mtu" in refusal(
        good + "expect: {where: n=1, tunnel: up}\n"
    )
    assert "axis 'd' has no value '3ms'; did you mean" in refusal(
        good + "expect: {where: d=3ms, tunnel: up}\n"
    )


def test_an_unknown_name_or_file_is_told():
    assert "did you mean 'site_to_site'?" in refusal("site_to_sit")
    assert "can't be read" in refusal("nowhere.yaml")
    assert "no such file" in refusal("x" * 5000)


def test_what_a_device_costs_is_known_and_not_counted_yet_and_that_is_said():
    text = "name: t\nnodes: {a: {kind: host, device: phone}, b: {kind: host, device: ideal}}\nlinks: {l: [a, b]}\n"
    checked = check(text)
    assert [str(each) for each in checked.later] == []
    (remark,) = checked.warnings
    assert "what a 'phone' costs is not counted yet: its work takes no time" in str(remark)


def test_a_parameter_is_no_setting():
    text = "name: t\nparams: {mode: tunnel}\nnodes: {a: {}, b: {}}\nlinks: {l: [a, b]}\n"
    assert "parameters have their values before" in refusal(text, settings=[("params.mode", "transport")])


def test_an_offer_that_could_not_be_numbered_is_refused():
    many = ", ".join(["aes128gcm16"] * 101)
    text = (
        "name: t\nnodes: {a: {kind: gateway}, b: {kind: gateway}}\nlinks: {l: [a, b]}\n"
        f"tunnels: {{net: {{ends: [a, b], child: {{esp_proposals: [{many}]}}}}}}\n"
    )
    assert "esp_proposals lists 101 values; at most 100" in refusal(text)
