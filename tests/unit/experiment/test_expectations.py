"""Each kind of claim, met and not met, on small runs."""

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read

TWICE = ["ping alice bob count=3 size=1000", "3s ping bob alice count=2", "4s send alice bob size=99 dport=7"]


@pytest.fixture(scope="module")
def verdict():
    """A function: claim in, met or not out. All claims are held against one and the same story."""

    def judge(claim: str, source: str = "site_to_site", do=TWICE) -> tuple[bool, str]:
        run = Run(read(source, do=do, expect=[claim])).run()
        found = run.verdicts()[-1]
        return found.is_met, found.found

    return judge


@pytest.mark.parametrize(
    ("claim", "is_met"),
    [
        ("ping: received 1", False),  # all pings together
        ("ping: received 6", True),
        ("ping bob alice: received 2", True),
        ("ping bob alice: lost 0", True),
        ("ping bob alice: sent at least 3", False),
        ("ping: rtt less than 1s", True),
        ("ping: rtt more than 1s", False),
        ("tunnel net: up", True),
        ("tunnel net: down", False),
        ("tunnel: up 1", True),
        ("drops: none", False),  # the datagram reached a closed port
        ("drops: PORT_CLOSED", True),
        ("drops: PORT_CLOSED 2", False),
        ("drops node=bob: PORT_CLOSED 1", True),
        ("drops node=alice: none", True),
        ("packets layer=esp link=wan: at least 12", True),
        ("packets layer=esp link=left: none", True),
        ("packets layer=ike: 4", True),
        ("packets proto=esp size>1000: 6", True),
        ("packets proto!=esp link=wan: 4", True),
        ("packets node=west link=wan: more than 100", False),
        ("packets src=alice dst=bob proto=icmp: 12", True),
        ("packets layer=ah: none", True),
        ("leaks: none", True),
        ("notify: none", False),
        ("notify from=east: NAT_DETECTION_SOURCE_IP 1", True),
        ("notify from=east: AUTHENTICATION_FAILED", False),
        ("notify from=east to=west: NAT_DETECTION_SOURCE_IP 1", True),
        ("notify from=east to=alice: none", True),
        ("notify to=east: INITIAL_CONTACT 1", True),
        ("packets exchange=IKE_AUTH: 2", True),
        ("packets exchange!=IKE_AUTH layer=ike: 2", True),
        ("packets turn=1: 1", True),
        ("packets turn=1-3: 3", True),
        ("packets at<1ms layer=ike: 4", True),
        ("packets at>=1ms layer=ike: none", True),
        ("packets at=3s-3500ms link=right: 2", True),  # one ping, and its answer
        ("packets flow=send link=wan layer=esp: 2", True),  # and the error that tells of the closed port
        ("packets flow=ping link=left: 12", True),
        ("packets flow!=ping|send: none", True),  # also IKE is there because of a ping
        ("packets reason=PORT_CLOSED: 1", True),
        ("packets reason=PORT_CLOSED link=wan: none", True),  # it got past that one
        ("drops link=right dst=bob proto=udp: PORT_CLOSED 1", True),
        ("drops link=wan: none", True),
        ("drops layer=icmp: none", True),
        ("drops flow=send: 1", True),
        ("drops flow=ping: none", True),
        ("drops reason!=PORT_CLOSED: none", True),
        ("drops at>4s: 1", True),
        ("tunnel net: setup_time 800us", True),
        ("tunnel: setup_time less than 1ms", True),
        ("tunnel net: outage 0s", True),
    ],
)
def test_a_claim_is_held_against_the_run(verdict, claim, is_met):
    assert verdict(claim)[0] is is_met


def test_a_claim_that_is_not_met_says_what_was_found(verdict):
    assert verdict("ping: received 9") == (False, "6")
    assert verdict("drops: IP_TTL") == (False, "PORT_CLOSED 1")


def test_a_broken_tunnel_is_down(verdict):
    assert verdict("tunnel net: down", source="psk_mismatch", do=[])[0]
    assert verdict("drops: NO_SA_YET 1", source="psk_mismatch", do=[])[0]


def test_why_asks_what_either_side_came_to_know(verdict):
    assert verdict("why: AUTH_PSK_MISMATCH", source="psk_mismatch", do=[]) == (True, "AUTH_PSK_MISMATCH 1")
    assert verdict("why tunnel net: AUTH_PSK_MISMATCH 1", source="psk_mismatch", do=[])[0]
    assert verdict("why: AUTH_ID_UNKNOWN", source="psk_mismatch", do=[]) == (False, "AUTH_PSK_MISMATCH 1")
    assert verdict("why: AUTH_PSK_MISMATCH") == (False, "none")


def test_a_tunnel_that_never_came_up_has_no_times(verdict):
    for measure in ("setup_time", "outage"):
        answer = verdict(f"tunnel net: {measure} at least 0s", source="psk_mismatch", do=[])
        assert answer == (False, "one that never came up")


def test_an_outage_is_all_the_time_that_a_tunnel_was_down_after_it_had_been_up(verdict):
    do = [
        "ping alice bob",
        "10s terminate net",
        "40s ping alice bob",
        "60s terminate net",
        "70s note the end",
    ]
    is_met, found = verdict("tunnel net: outage about 40s", do=do)
    assert is_met, found
    assert not verdict("tunnel net: outage about 30s", do=do)[0]


def test_a_tunnel_goes_down_with_its_node(verdict):
    do = ["ping alice bob", "5s crash east", "15s restart east", "25s note the end"]
    assert verdict("tunnel net: outage 20s", do=do) == (True, "20 s")
    by_hand = [*do[:3], "20s ping alice bob", do[3]]
    assert verdict("tunnel net: outage 10s", source="ah_tunnel", do=by_hand)[0]


def test_what_is_lost_on_a_link_is_dropped_there(verdict):
    assert verdict("drops link=wan layer=esp: ADVERSARY_DROP 1", source=ATTACKED, do=[])[0]
    assert verdict("drops link=wan reason=ICV_FAIL: 1", source=ATTACKED, do=[])[0]
    assert verdict("packets reason=ICV_FAIL: 1", source=ATTACKED, do=[])[0]
    assert verdict("drops link=left: none", source=ATTACKED, do=[])[0]
    assert verdict("drops src=alice: none", source=ATTACKED, do=[])[0]  # nobody could see that it was hers


def test_a_drop_inside_a_tunnel_shows_both_packets(verdict):
    do = ["ping bob alice", "2s send alice bob dport=7"]
    source = "name: near\nextends: site_to_site\nlinks: {right: {mtu: 600}}\n"
    do = ["ping alice bob", "2s ping alice bob size=900 df=yes"]
    for words in ("src=alice layer=icmp", "src=west layer=esp", "link=wan"):
        assert verdict(f"drops node=east {words}: IP_DF_TOO_BIG 1", source=source, do=do)[0], words


ATTACKED = """
name: attacked
extends: site_to_site
nodes: {mallory: {kind: attacker, tap: wan}}
script:
  - do: ping alice bob
  - {at: 2s, do: [drop mallory layer=esp count=1, ping alice bob]}
  - {at: 4s, do: [flip mallory layer=esp count=1, ping alice bob]}
"""


def test_what_nobody_can_measure_yet_is_refused_with_its_place():
    with pytest.raises(ConfigError, match="not yet"):
        read("site_to_site", expect=["why: PEER_SINGLE_TS"])


def test_why_is_asked_of_the_traffic_that_was_hit_and_of_no_other(verdict):
    assert verdict("why ping alice bob: SPD_ORDER 1", source="spd_order_wrong", do=[])[0]
    assert verdict("why ping alice carol: SPD_ORDER 1", source="spd_order_wrong", do=[])[0]
    assert verdict("why send: SPD_ORDER", source="spd_order_wrong", do=[]) == (False, "none")
    assert verdict("why ping: AUTH_PSK_MISMATCH 1", source="psk_mismatch", do=[])[0]


def test_why_is_asked_of_the_tunnel_whose_packets_were_hit(verdict):
    assert verdict("why tunnel net: REPLAY_WINDOW_TOO_SMALL 1", source="priority_and_replay", do=[])[0]
    assert verdict("why urgent: REPLAY_WINDOW_TOO_SMALL", source="priority_and_replay", do=[]) == (
        False,
        "none",
    )
    assert verdict("why bulk: REPLAY_WINDOW_TOO_SMALL 1", source="priority_and_replay", do=[])[0]


FORGETFUL = """
name: forgetful
until: 100s
nodes:
  pc: {kind: host}
  box: {kind: nat, nat: {timeouts: {icmp: 10s}}}
  server: {kind: host}
  other: {kind: host}
  hotel: {kind: nat, nat: {preset: hotel, outside: street}}
links:
  lan: [pc, box]
  street: [box, server, hotel]
  room: [hotel, other]
"""


@pytest.mark.parametrize(
    ("claim", "is_met"),
    [
        ("mapping: 3", True),
        ("mapping: lost 3", True),
        ("mapping node=box: lost 2", True),
        ("mapping node=box: count at most 1", False),
        ("mapping node=hotel: at least 1", True),
        ("mapping node=hotel: none", False),
        ("mapping node=pc: none", True),
    ],
)
def test_mappings_are_counted_when_they_are_made_and_when_they_are_lost(verdict, claim, is_met):
    do = ["ping pc server", "30s ping pc server", "40s ping other server"]
    met, found = verdict(claim, FORGETFUL, do)
    assert met is is_met
    assert found.endswith("lost")


def test_why_of_one_tunnel_is_nothing_to_another():
    settings = [
        ("tunnels.to_east.child.esp_proposals", "aes128ctr-sha256"),
        ("nodes.east.ipsec.connections.to_east.children.to_east.sha256_96", "yes"),
    ]
    claims = ["why tunnel to_east: ICV_LEN_MISMATCH", "why tunnel to_west: ICV_LEN_MISMATCH 0"]
    run = Run(read("three_sites", settings=settings, expect=claims)).run()
    assert [verdict.is_met for verdict in run.verdicts()[-2:]] == [True, True]


LIFE = [*TWICE, "5s crash east", "6s restart east", "7s initiate net", "8s crash bob", "9s note the end"]


@pytest.mark.parametrize(
    ("claim", "is_met"),
    [
        ("node west: up", True),
        ("node bob: up", False),
        ("node bob: down", True),
        ("node west: sas 2", True),
        ("node alice: sas 0", True),
        ("node east: sas 2", False),
        ("sas node=west: 2", True),
        ("sas node=east: none", True),
        ("sas: at least 3", False),
        ("tunnel: setup_time less than 100ms", True),
        ("tunnel: setup_time less than 100us", False),
        ("tunnel net: outage 4s", True),
        ("tunnel net: outage 0s", False),
    ],
)
def test_nodes_sas_and_the_times_of_tunnels(verdict, claim, is_met):
    """West has not noticed that east has forgotten; east had its SAs for five seconds."""
    assert verdict(claim, do=LIFE)[0] is is_met
