"""The situations that a course on IPsec needs are there, under the names by which lessons load them."""

import pytest

from ipsecsim.scenario import groups, names

SITUATIONS = {
    "site to site": [
        "site_to_site",
        "site_to_site_ipv6",
        "site_to_site_certs",
        "four_in_six",
        "six_in_four",
        "ah_tunnel",
    ],
    "three sites": ["hub_and_spoke", "three_sites"],
    "full mesh": ["full_mesh"],
    "host to host in transport mode": [
        "host_to_host_transport",
        "transport_ike",
        "transport_esp",
        "ah_transport",
    ],
    "the four messages": ["illustrated_ikev2"],
    "remote access": ["road_warriors", "remote_access_ipv6", "split_tunnel", "pool_exhausted"],
    "remote access behind a home NAT": ["behind_nat", "remote_access_nat"],
    "two clients behind one NAT": ["two_clients_one_nat", "two_clients_one_nat_transport"],
    "double NAT": ["double_nat"],
    "server behind NAT": ["server_behind_nat", "server_behind_nat_unforwarded"],
    "AH through NAT": ["ah_meets_nat"],
    "ESP through NAT": ["esp_meets_nat", "esp_in_udp", "esp_transport_meets_nat"],
    "IKE blocked": ["ike_blocked"],
    "ESP blocked while IKE passes": ["esp_blocked", "nat_t_only", "firewall_forgets"],
    "every firewall, with and without NAT": ["firewall_truth_table", "nat_truth_table"],
    "reordering against a small replay window": ["priority_and_replay", "reordering_small_window"],
    "MTU black hole": ["pmtu_blackhole"],
    "fragments dropped during IKE_AUTH": ["ike_fragments_dropped", "ike_fragments"],
    "voice through a tunnel": ["voice_over_tunnel"],
    "roaming with and without MOBIKE": ["roaming_mobike", "roaming_without_mobike", "mobike_no_path"],
    "gateway crash with DPD": ["gateway_crash_dpd", "stale_sa"],
    "a line that comes and goes": ["link_flap"],
    "NAT rebinding and keepalives": ["nat_rebinding", "road_warrior_idle"],
    "NAT before policy": ["nat_before_policy", "nat_exemption"],
    "overlapping subnets": ["overlapping_subnets"],
    "the wrong source address": ["ping_from_gateway", "outside_the_selectors"],
    "wrong SPD order": ["spd_order_wrong", "spd_order"],
    "plaintext leak against trap policy": ["leak_while_down", "leak_trap"],
    "keys grow old": ["rekey_ike", "rekey_child", "reauth", "pfs_mismatch", "rekey_collision"],
    "failed handshakes": [
        *("psk_mismatch", "id_unknown", "bad_certificate", "proposal_mismatch"),
        *("esp_proposal_mismatch", "certificate_wrong_name", "certificate_untrusted"),
        *("ts_no_overlap", "ts_narrowed", "icv_length"),
    ],
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_situation_can_be_loaded_by_name(situation):
    assert [name for name in SITUATIONS[situation] if name not in names()] == []


def test_no_two_files_have_one_name_and_failures_and_lessons_stand_apart():
    assert len(set(names())) == len(names())
    assert set(groups()) == {"", "failures", "lessons"}
    assert sorted(name for group in groups().values() for name in group) == names()
