"""Packets of a run, chosen and asked."""

import sys

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.experiment.events import Events
from ipsecsim.experiment.packets import NoSuchThing, Packets
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(read("behind_nat")).run()


@pytest.fixture(scope="module")
def packets(run: Run) -> Packets:
    return Packets(run)


def test_a_packet_keeps_its_number_through_nats_and_protection(packets: Packets) -> None:
    ping = packets.where("flow=ping layer=icmp").first
    (outer,) = ping.carried_by
    assert (ping.kind, ping.source, ping.to, ping.size) == ("icmp", "alice", "bob", 84)
    assert [hop.link for hop in ping.hops] == ["left", "right"]
    assert (outer.kind, outer.source, outer.to) == ("esp", "west", "east")
    assert [hop.link for hop in outer.hops] == ["home_lan", "dsl", "uplink"]
    assert outer.carries == (ping,)
    assert len({hop.packet[12:16] for hop in outer.hops}) == 2, "the NAT gave it another source"
    (answer,) = ping.answered_by
    assert (answer.source, answer.to) == ("bob", "alice")


def test_words_text_and_questions_choose_and_narrow(packets: Packets) -> None:
    by_text = packets.where("layer=esp link=uplink")
    assert list(by_text) == list(packets.where(layer="esp", link="uplink"))
    assert list(by_text) == list(packets.where("layer=esp").where(link="uplink"))
    assert list(by_text) == list(packets.where(lambda each: each.kind == "esp"))
    assert (by_text.count, set(by_text.sizes), by_text.bytes) == (6, {148}, 6 * 148)
    assert list(packets.where(layer=("esp", "icmp"))) == list(packets.where(layer="esp|icmp"))
    assert len(packets.where("layer=icmp", lambda each: each.source == "bob")) == 3
    assert packets.where("layer=esp")[1:3].first == packets.where("layer=esp")[1]
    assert list(packets.where()) == list(packets)


def test_all_words_must_hold_on_one_hop(packets: Packets) -> None:
    assert len(packets.where("layer=icmp link=uplink")) == 0
    assert len(packets.where("layer=icmp node=east")) == 3, "east forwards what came out"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layer=ah", 'no packet matches "layer=ah"; there are: icmp 6, esp 6, ike 4'),
        ("layer=ah link=left", 'no packet matches "layer=ah link=left"; on left there are: icmp 6'),
    ],
)
def test_who_finds_nothing_hears_what_there_is(packets: Packets, text: str, said: str) -> None:
    with pytest.raises(NoSuchThing) as error:
        _ = packets.where(text).first
    assert str(error.value) == said


def test_one_means_one(packets: Packets) -> None:
    with pytest.raises(NoSuchThing, match='6 packets match "layer=esp", and one is wanted'):
        packets.where("layer=esp").one()
    assert packets.where("layer=icmp turn=1").one().number == packets.number(1).number == 1
    with pytest.raises(NoSuchThing, match="no packet 99; the run has 16"):
        packets.number(99)


def test_causes_and_effects_go_across_protection_and_answers(packets: Packets) -> None:
    request = packets.where("flow=ping layer=icmp").first
    (outer,), (reply,) = request.carried_by, request.answered_by
    (back,) = reply.carried_by
    assert list(request.effects()) == [outer, reply, back]
    assert list(back.causes()) == [request, reply]
    assert list(request.causes()) == []


def test_a_diff_says_who_changed_what(packets: Packets) -> None:
    outer = packets.where("layer=esp").first
    by_nat = outer.diff("home")
    assert by_nat == outer.diff(2)
    assert [change.path[-1] for change in by_nat.changes] == [
        "Time to Live",
        "Header Checksum",
        "Source Address",
    ]
    assert outer.diff("uplink").changes == ()
    with pytest.raises(
        NoSuchThing, match="did not pass 'left'; it passed: home, internet, home_lan, dsl, uplink"
    ):
        outer.diff("left")
    assert outer.bytes_on(1) == by_nat.before
    with pytest.raises(NoSuchThing, match="packet 6 has no hop 4; it has 3, numbered from 1"):
        outer.bytes_on(4)


def test_what_a_link_did_to_a_packet_is_a_diff_too() -> None:
    spoilt = Packets(Run(read("bit_flip")).run()).where(
        lambda each: any(hop.arrived_packet is not None for hop in each.hops)
    )
    hop = next(hop for hop in spoilt.first.hops if hop.arrived_packet is not None)
    found = spoilt.first.diff(hop.link)
    assert (found.by, found.after) == (hop.link, hop.arrived_packet)
    assert found.changes


def test_a_slip_is_shown_with_a_caret(packets: Packets) -> None:
    with pytest.raises(ConfigError) as error:
        packets.where("link=left layer=epsp")
    assert str(error.value).splitlines() == [
        "selection: unknown word 'epsp'; did you mean 'esp'?",
        "  link=left layer=epsp",
        "                  ^",
    ]


def test_what_a_packet_was_put_into_decides_its_fate() -> None:
    dropped = Packets(Run(read("ah_meets_nat")).run())
    assert {each.kind for each in dropped.where("reason=AH_ICV_FAIL")} == {"ah"}
    inner = dropped.where(lambda each: bool(each.carried_by)).first
    assert (inner.fate, inner.reason, inner.life.ends) == ("dropped", "AH_ICV_FAIL", "sealed")
    lost = Packets(Run(read("overlapping_subnets")).run()).first
    assert (lost.fate, lost.to) == ("lost", "10.0.0.2" if lost.to[0].isdigit() else lost.to)


def test_packets_and_events_as_tables_of_pandas(run: Run, packets: Packets) -> None:
    pytest.importorskip("pandas")
    table = packets.to_pandas()
    assert len(table) == len(packets)
    assert table[table.kind == "esp"]["size"].unique().tolist() == [148]
    assert table.loc[7, "answers"] == 1
    told = Events(run).to_pandas()
    assert len(told) == len(run.recorder.rows)
    assert told[told.event == "PacketSealed"].groupby("node").size().to_dict() == {"east": 3, "west": 3}


def test_without_pandas_the_remedy_is_said(packets: Packets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match=r"pip install 'ipsecsim\[notebook\]'"):
        packets.to_pandas()
