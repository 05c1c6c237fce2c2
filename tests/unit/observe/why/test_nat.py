"""What NATs do to tunnels, found in the recording, and nothing found where they do no harm."""

import pytest

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.run import Run
from ipsecsim.observe.why import Finding, findings
from ipsecsim.scenario import names, read
from tests.support.why import diagnoses, found_in, topology

ANY_SOURCE = """
name: any_source
nodes:
  alice:
    kind: host
    ipsec:
      sas: {out: {spi: 0x1001, src: alice, dst: bob, SUITE, key: seed:k1}}
      spd: [protect dst=bob sa=out, discard]
  box: {kind: nat, nat: {preset: NAT, ah: pass}}
  bob:
    kind: host
    ipsec:
      sas: {in: {spi: 0x1001, src: alice, dst: bob, SUITE, key: seed:k1}}
      spd: [protect sa=in, discard]
links: {inside: [alice, box], outside: [box, bob]}
script: [do: [send alice bob dport=9 size=10, send alice bob dport=10 size=10]]
"""
"""Transport mode by hand, for a receiver that does not mind who sends."""


def only(source: str, diagnosis: Diagnosis, **options) -> Finding:
    (finding,) = found_in(source, **options)
    assert finding.diagnosis is diagnosis
    return finding


# AH


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
def test_ah_that_a_nat_has_touched_is_found_once_for_all_packets(mode):
    finding = only(topology("ah_meets_nat"), Diagnosis.AH_ICV_NAT, params={"mode": mode})
    assert len(finding.rows) == 3
    assert finding.sentence.endswith("was signed with source 192.168.1.2, which box made 10.1.0.1")


def test_ah_that_only_routers_have_touched_is_not_found():
    assert diagnoses(topology("ah_meets_nat"), params={"nat": "none"}) == []


def test_ah_that_somebody_forged_is_no_nats_doing():
    """Both ends have other keys: the ICV fails, and no address has changed."""
    source = ANY_SOURCE.replace("SUITE", "ah_proposals: sha256").replace("NAT", "none")
    assert (
        diagnoses(
            source.replace("seed:k1}}\n      spd: [protect sa=in", "seed:k2}}\n      spd: [protect sa=in")
        )
        == []
    )


# ESP in transport mode


def test_a_checksum_that_counts_an_address_before_the_nat_is_found():
    finding = only(
        ANY_SOURCE.replace("SUITE", "esp_proposals: aes256gcm16").replace("NAT", "home_router"),
        Diagnosis.TRANSPORT_NAT_CHECKSUM,
    )
    assert len(finding.rows) == 2
    assert "counts source 192.168.1.2, which box made 10.1.0.1" in finding.sentence


def test_it_is_found_too_where_the_sas_selectors_refuse_the_packet_first():
    only(topology("esp_meets_nat"), Diagnosis.TRANSPORT_NAT_CHECKSUM, params={"mode": "transport"})


def test_tunnel_mode_takes_no_harm():
    assert diagnoses(topology("esp_meets_nat"), params={"mode": "tunnel"}) == []


# Responders and mappings


def test_a_responder_to_whom_nothing_is_led_is_found_once_for_all_requests():
    finding = only(topology("server_behind_nat_unforwarded"), Diagnosis.RESPONDER_BEHIND_NAT)
    assert finding.sentence.startswith("box: ")
    assert finding.sentence.endswith("first messages of IKE came to UDP 500, and it has no forward for that")
    assert len(finding.rows) > 1


def test_a_responder_with_a_forward_is_all_right():
    assert diagnoses(topology("server_behind_nat")) == []


def test_a_mapping_that_ended_too_soon_is_found_with_its_time():
    finding = only(topology("road_warrior_idle"), Diagnosis.NAT_MAPPING_LOST, params={"keepalive": "60s"})
    assert finding.sentence == (
        "home: UDP 192.168.1.2:4500 was 192.0.2.1:4500 until 90.017 s (nobody inside has used it); "
        "1 packet came for it afterwards"
    )


def test_a_mapping_that_keepalives_have_kept_is_not_lost():
    assert diagnoses(topology("road_warrior_idle")) == []


def test_a_box_that_has_rebooted_has_lost_its_mappings():
    source = topology("road_warrior_idle").replace("{at: 95s,", "{at: 30s, do: reboot home}\n  - {at: 36s,")
    assert "(it was switched off and on)" in only(source, Diagnosis.NAT_MAPPING_LOST).sentence


def test_a_box_with_another_address_has_lost_its_mappings():
    run = Run(read(topology("road_warrior_idle")))
    box = run.world.simulator.nodes["home"]
    run.world.simulator.plan(90 * SECOND, box, lambda: box.translation.move([box.address[:3] + b"\x4d"]))
    run.run()
    (finding,) = findings(run.recorder, run.world.simulator)
    assert finding.diagnosis is Diagnosis.NAT_MAPPING_LOST


# Policy


def test_two_clients_of_one_nat_that_want_the_same_are_found_once():
    finding = only(topology("two_clients_one_nat_transport"), Diagnosis.SPD_CONFLICT_SAME_OUTER)
    assert "dave.example wants transport mode for" in finding.sentence
    assert finding.sentence.endswith("as carol.example has it, and is refused")


def test_two_clients_in_tunnel_mode_are_all_right():
    assert diagnoses(topology("two_clients_one_nat")) == []


def test_a_source_that_was_translated_before_policy_is_found_with_the_rule_it_missed():
    finding = only(topology("nat_before_policy"), Diagnosis.NAT_BEFORE_SPD)
    assert finding.sentence == (
        "west: rule net is for 10.1.0.2, and the NAT of the same box had made it 192.0.2.1; an exemption would help"
    )
    assert finding.rules == (("west", "net"),)


def test_an_exemption_helps():
    assert diagnoses(topology("nat_exemption")) == []


def test_what_no_rule_is_for_is_not_the_nats_fault():
    source = topology("nat_before_policy").replace("ping alice bob", "ping alice internet")
    assert diagnoses(source) == []


HARMLESS = ("behind_nat", "remote_access_nat", "double_nat", "road_warriors", "site_to_site")


@pytest.mark.parametrize("name", HARMLESS)
def test_where_nats_do_no_harm_nothing_is_found(name):
    assert name in names()
    assert diagnoses(topology(name)) == []
