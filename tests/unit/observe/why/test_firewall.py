"""What a firewall drops of a tunnel: its keys' messages or its packets; and drops that are none of a tunnel's."""

import pytest

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from tests.support.why import diagnoses, found_in

ESP, IKE = Diagnosis.ESP_FILTERED_ON_PATH, Diagnosis.IKE_FILTERED_ON_PATH

SITES = """
name: filtered
nodes:
  alice: {kind: host}
  west: {kind: gateway}
  fw: {kind: firewall, firewall: FIREWALL}
  east: {kind: gateway}
  bob: {kind: host}
links:
  left: [alice, west]
  near: [west, fw]
  far: [fw, east]
  right: [east, bob]
tunnels: {net: {ends: [west, east], mobike: no}}
script: [do: ping alice bob count=2]
"""


def sites(firewall: str, **options) -> str:
    text = SITES.replace("FIREWALL", firewall)
    for old, new in options.items():
        text = text.replace(old, new)
    return text


def test_esp_that_is_dropped_on_its_way():
    (finding,) = found_in(sites("{rules: [drop proto=esp in=near]}"))
    assert finding.diagnosis is ESP
    assert [row.event.reason for row in finding.rows] == [DropReason.FW_RULE] * 2
    assert finding.sentence.startswith("fw drops ESP from 192.0.2.1 to ")


def test_each_direction_is_a_finding_of_its_own():
    both_ways = "[{do: ping alice bob}, {at: 1s, do: ping bob alice}]"
    found = found_in(sites("{rules: [drop proto=esp]}", **{"[do: ping alice bob count=2]": both_ways}))
    assert [each.diagnosis for each in found] == [ESP, ESP]


def test_esp_in_udp_says_so():
    text = sites("{rules: [drop proto=udp port=4500 size>200]}", **{"mobike: no": "encap: yes, mobike: no"})
    assert diagnoses(text.replace("count=2", "size=400")) == [IKE]  # IKE_AUTH is large too
    (finding,) = found_in(text.replace("size>200", "size>600").replace("count=2", "size=800"))
    assert (finding.diagnosis, "ESP in UDP" in finding.sentence) == (ESP, True)


@pytest.mark.parametrize(
    ("firewall", "port"),
    [("blocks_ipsec", 500), ("{default: drop}", 500), ("{rules: [drop proto=udp port=4500]}", 4500)],
)
def test_ike_that_is_dropped_on_its_way(firewall, port):
    text = sites(firewall, **({} if port == 500 else {"mobike: no": "encap: yes, mobike: no"}))
    (finding,) = found_in(text)
    assert finding.diagnosis is IKE
    assert f"on UDP port {port} " in finding.sentence


@pytest.mark.parametrize("firewall", ["open", "allows_nat_t_only", "filters_icmp"])
def test_what_lets_the_tunnel_through_is_nothing_to_speak_of(firewall):
    """Not even when it drops what is not the tunnel's."""
    encap = "encap: yes, mobike: no" if firewall == "allows_nat_t_only" else "mobike: no"
    assert diagnoses(sites(firewall, **{"mobike: no": encap})) == []
