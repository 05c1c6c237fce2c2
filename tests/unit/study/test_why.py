"""Why a run went wrong: which trouble is meant by a question, and what the answer says about it."""

import pytest

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import ConfigError
from ipsecsim.base.exposures import Exposure
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameArrived, TurnBegan
from ipsecsim.net.turn import Turn
from ipsecsim.scenario import read
from ipsecsim.scenario.not_yet import DIAGNOSES_LATER
from ipsecsim.study.trouble import BY_DESIGN, Evidence
from ipsecsim.study.why import why
from ipsecsim.study.words import LOOK_BY_LAYER, WORDS


def run(source: str, **options) -> Run:
    return Run(read(source, **options)).run()


def test_the_main_trouble_of_a_run_is_that_of_the_tunnel_that_is_down():
    answer = why(run("psk_mismatch"))
    assert (answer.reason, answer.node, answer.shows_as) == (
        "AUTH_PSK_MISMATCH",
        "east",
        "AUTHENTICATION_FAILED",
    )
    assert answer.subject == "tunnel net"
    assert answer.known_by == ("east",)
    assert answer.unknown_to == ("west",)
    assert "west" in answer.sentence


def test_a_chain_leads_from_what_was_asked_for_to_who_was_told():
    links = why(run("psk_mismatch")).chain
    assert [(link.node, link.turn) for link in links] == [
        ("alice", 1),
        ("east", 3),
        ("west", 4),
        ("east", 5),
        ("east", 5),
        ("west", 6),
    ]
    assert links[0].sentence.startswith("ping: sent")
    assert links[-1].sentence.startswith("the peer reported AUTHENTICATION_FAILED")


def test_two_pings_of_one_run_may_have_different_answers():
    experiment = run("ts_narrowed")
    assert why(experiment, "ping alice carol").reason == "TS_NO_OVERLAP"
    assert why(experiment, "tunnel net").reason == "TS_NARROWED"


def test_a_packet_inside_another_one_shares_its_end():
    experiment = run("esp_blocked")
    outer = why(experiment, 6)
    inner = why(experiment, "packet 1")
    assert outer.reason == inner.reason == "ESP_FILTERED_ON_PATH"
    assert (outer.packet, outer.node) == (6, "isp")


def test_a_node_answers_for_what_happened_on_it():
    assert why(run("esp_blocked"), "node isp").reason == "ESP_FILTERED_ON_PATH"


def test_of_a_group_it_is_said_that_it_is_one_and_whose_rule_takes_its_sender():
    answer = why(run("routing_multicast"))
    assert answer.sentence.endswith("no rule is for what 192.0.2.1 says to 224.0.0.9, a multicast group")
    assert answer.setting == "tunnels.net.child.remote_ts=0.0.0.0/0"


def test_no_wider_selector_is_offered_where_no_rule_takes_the_sender():
    narrow = run("routing_multicast", settings=[("tunnels.net.child.local_ts", "10.1.0.0/24")])
    assert why(narrow).setting == ""


def test_a_drop_without_a_diagnosis_answers_by_its_reason():
    answer = why(run("site_to_site", settings=[("links.wan.loss", "100%")]))
    assert answer.reason == answer.shows_as == "LINK_LOSS"
    assert "the link lost it" in answer.sentence
    assert len(answer.chain) >= 2


@pytest.mark.parametrize("about", [None, "tunnel net", "ping alice bob", "ping", "node west", 1])
def test_where_nothing_is_wrong_it_says_so(about):
    answer = why(run("site_to_site"), about)
    assert answer.reason == ""
    assert "nothing went wrong" in answer.sentence
    assert answer.chain == ()


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ("ping alice dave", "there is no traffic 'ping alice dave'; there are: ping"),
        ("tunnel nte", "there is no tunnel 'nte'; there are: net"),
        ("node eve", "there is no node 'eve'; there are: alice, west, east, bob"),
        (999, "there is no packet 999; there are: 1 to"),
        (0, "there is no packet 0"),
    ],
)
def test_a_question_about_what_is_not_there_names_what_is(about, words):
    with pytest.raises(ConfigError, match=words):
        why(run("site_to_site"), about)


def test_all_that_went_wrong_is_told():
    assert [each.reason.name for each in Evidence(run("spd_order_wrong")).harm()] == [
        "SPD_ORDER",
        "SPD_ORDER",
    ]


def test_every_diagnosis_and_every_layer_of_drops_has_its_words():
    known = set(Diagnosis.__members__) - DIAGNOSES_LATER | set(Exposure.__members__)
    assert {each.name for each in WORDS} == known
    assert set(LOOK_BY_LAYER) == {reason.layer for reason in DropReason}


@pytest.mark.parametrize("reason", list(DropReason), ids=lambda reason: reason.name)
def test_every_drop_reason_has_an_answer(reason):
    experiment = run("site_to_site")
    arrival = experiment.recorder.turn(7)
    packet = next(row.event.packet for row in arrival if isinstance(row.event, FrameArrived))
    turn = Turn(experiment.turns + 1, experiment.now, arrival[0].node, "frame", arrival[0].turn.cause)
    experiment.recorder.observe(turn, TurnBegan("frame"))
    experiment.recorder.observe(turn, PacketDropped(reason, packet))
    answer = why(experiment, f"node {turn.node}")
    if reason in BY_DESIGN:
        assert answer.reason == ""
        return
    assert (answer.node, answer.shows_as) == (turn.node, reason.name)
    if answer.reason in Diagnosis.__members__:
        assert reason in (DropReason.IP_DF_TOO_BIG, DropReason.FW_RULE, DropReason.FW_STATE)
        assert reason.name in Diagnosis[answer.reason].shows_as
    else:
        assert (answer.reason, answer.clause) == (reason.name, reason.clause)
        assert reason.sentence in answer.sentence
    assert len(answer.sentence.split()) < 30
    assert answer.look_at.startswith(f"turn {turn.number}, {turn.node}")
    assert [hook.verdict for hook in answer.strip.hooks].count("fail") == 1
    turns = [link.turn for link in answer.chain]
    assert turns == sorted(turns)
    assert 2 <= len(turns) <= 6


def test_who_was_told_by_ike_that_its_peer_begins_anew_speaks_of_the_peer():
    answer = why(run("roaming_without_mobike"), "tunnel work")
    assert (answer.reason, answer.node) == ("PEER_REBOOTED", "moon")
    assert "carol comes to moon anew" in answer.sentence
