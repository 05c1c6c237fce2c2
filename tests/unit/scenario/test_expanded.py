import pytest

from ipsecsim.scenario import expanded_yaml, names, read
from tests.unit.scenario.examples import ALL, DEEP, SITES


@pytest.mark.parametrize("name", ALL)
def test_an_expanded_file_reads_back_to_an_equal_model(name):
    topology = read(ALL[name])
    again = read(expanded_yaml(topology))
    assert again == topology
    assert [list(node.ipsec.connections) for node in again.nodes.values() if node.ipsec] == [
        list(node.ipsec.connections) for node in topology.nodes.values() if node.ipsec
    ]
    assert expanded_yaml(again) == expanded_yaml(topology)


@pytest.mark.parametrize("name", names())
def test_so_does_every_topology_of_the_library(name):
    topology = read(name)
    assert read(expanded_yaml(topology)) == topology


def test_an_expanded_file_shows_all_that_was_left_out():
    text = expanded_yaml(read(SITES))
    for line in (
        "  alice: {kind: host, routes: [0.0.0.0/0 via=10.1.0.1]}",
        "          local_addrs: 192.0.2.1",
        "          proposals: aes256gcm16-prfsha256-x25519",
        "          rekey_time: 4h",
        "              life_time: 66m",
        "    addrs: {west: 192.0.2.1, east: 192.0.2.2}",
        "  net: {ends: [west, east]}",
    ):
        assert f"{line}\n" in text
    assert text.count("ike-net: {id-1: west.example, id-2: east.example, secret: ") == 2


@pytest.mark.parametrize(
    "secret", ["tiger #1", "a: b", "$x $$y", "0x00ff", "'", '"', "- a", "[", "käse", " x ", "yes", "&a"]
)
def test_any_secret_survives(secret):
    topology = read(DEEP, settings=[("tunnels.rw.secret", secret.replace("$", "$$"))])
    assert read(expanded_yaml(topology)) == topology
