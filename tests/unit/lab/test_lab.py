"""A lab: moving over a run, acting at its end, looking, asking, and what each value looks like."""

import re
import subprocess
import sys

import pytest

from ipsecsim import Lab, LabError, NoSuchThing, Topology
from ipsecsim.base.errors import ConfigError


@pytest.fixture(scope="module")
def done():
    return Lab("site_to_site", seed=7).run()


def lines(value):
    return repr(value).splitlines()


def test_importing_the_package_stays_light():
    code = "import sys, ipsecsim; print(sorted(m for m in sys.modules if m in ('ipsecsim.lab', 'simpy', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
    code = "import sys; from ipsecsim import Lab; print([m for m in sys.modules if m in ('pandas', 'matplotlib')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_a_lab_tells_where_it_stands_and_what_its_traffic_found(done):
    assert lines(Lab("site_to_site", seed=7)) == [
        "site_to_site  seed 7   not run yet   4 nodes, 3 links, 0 of 1 tunnels up"
    ]
    assert lines(done) == [
        "site_to_site  seed 7   quiet at 0.002 s after 11 turns   4 nodes, 3 links, 1 of 1 tunnels up",
        "  ping alice bob   sent 1   received 1   rtt 2 ms / 2 ms / 2 ms",
        "  drops none   leaks none   expectations 0 of 0",
    ]


def test_seen_from_the_past_it_says_what_is_known_of_the_end_only():
    lab = Lab("site_to_site", seed=7).run()
    lab.at(3)
    assert lines(lab)[:3] == [
        "site_to_site  seed 7   at turn 3 of 11, 0.000 s   4 nodes, 3 links",
        "  in the end 1 of 1 tunnels up",
        "  ping alice bob   sent 1   received 1   rtt 2 ms / 2 ms / 2 ms",
    ]
    assert lines(lab.tunnel("net"))[0].startswith("tunnel net   in the end up   took ")
    lab.at(lab.end)
    assert lines(lab.tunnel("net"))[0].startswith("tunnel net   up   took ")


def test_position_moves_both_ways_and_past_the_end_it_simulates():
    lab = Lab("site_to_site")
    assert lab.turn.number == 0
    assert "nothing has happened yet" in repr(lab.turn)
    assert lab.step(3).number == 3
    assert lab.back(2).number == 1
    assert lab.end.number == 3
    assert lab.step(10).number == 11
    assert lab.at("start").number == 0
    assert lab.at("next esp").node == "west"
    assert lab.at("1s" if lab.recording.now > 10**9 else "0.0015s").at <= 1_500_000


def test_a_turn_is_a_headline_a_sentence_and_the_reason_why(done):
    head, say, deeper = lines(done.at(6))
    assert head == "turn 6 of 11   0.001000 s   west accepts"
    assert say.endswith("[RFC 7296 2.15]")
    assert deeper
    done.at("end")


def test_the_past_cannot_be_changed_and_the_remedy_is_named():
    lab = Lab("site_to_site").run()
    lab.at(5)
    with pytest.raises(LabError) as refused:
        lab.ping("alice", "bob")
    said = "you are looking at turn 5 of 11, and the past can't be changed."
    assert str(refused.value).startswith(said)
    assert refused.value._render_traceback_() == [f"LabError: {refused.value}"]
    lab.at("end")
    assert lab.ping("alice", "bob").received == 1


def test_a_ping_waits_for_its_answers_and_knows_its_packets():
    lab = Lab("site_to_site").run()
    before = lab.now
    answer = lab.ping("alice", "bob", count=2, size=1000)
    assert (answer.sent, answer.received, answer.lost) == (2, 2, 0)
    assert answer
    assert answer.rtt == pytest.approx(0.0012)
    assert repr(answer) == "ping alice bob   sent 2   received 2   rtt 1.2 ms / 1.2 ms / 1.2 ms"
    assert {packet.kind for packet in answer.packets} == {"icmp", "esp"}
    assert lab.now > before
    assert lab.turn.number == lab.end.number


def test_what_is_lost_can_be_asked_why_even_the_second_time():
    lab = Lab("ah_meets_nat").run()
    lost = lab.ping("alice", "bob")
    assert not lost
    assert lost.name == "ping 2"
    assert lost.why().reason == "AH_ICV_NAT"


@pytest.mark.parametrize(("verb", "options"), [("send", {"size": 100}), ("dns", {}), ("trace", {})])
def test_other_traffic_acts_and_waits_too(verb, options):
    lab = Lab("site_to_site").run()
    assert getattr(lab, verb)("alice", "bob", **options).sent >= 1


def test_a_sentence_for_later_waits_for_the_run():
    lab = Lab("site_to_site").run()
    turns = lab.end.number
    assert lab.do("ping alice bob", at="30s").end.number == turns
    assert lab.run().measure("ping sent") == 2
    with pytest.raises(LabError, match="over already"):
        lab.do("ping alice bob", at="1s")


def test_a_run_may_stop_at_a_time_or_when_a_claim_holds():
    assert Lab("site_to_site").run(until="500us").now <= 500_000
    lab = Lab("site_to_site").run(until={"tunnel net": "up"})
    assert lab.measure("ping received") == 0
    assert lab.run().measure("ping received") == 1
    with pytest.raises(LabError, match="never held"):
        Lab("psk_mismatch").run(until={"tunnel net": "up"})


def test_packets_are_chosen_by_words_and_looked_at_byte_by_byte(done):
    packet = done.packets.where("layer=esp link=wan").first
    assert lines(packet)[0].startswith("#6   esp   west > east   140 B   ok   ESP SPI")
    on_wire = packet.on("wan")
    assert on_wire == packet.data
    assert len(on_wire) == 140
    assert on_wire[:1] == b"E"
    assert "Integrity Check Value" in repr(on_wire)
    assert packet.follow().legs
    with pytest.raises(NoSuchThing, match="it was on: wan"):
        packet.on("left")
    with pytest.raises(NoSuchThing, match="on wan there are: ike 4, esp 2"):
        done.packets.where("layer=ah link=wan").first  # noqa: B018


def test_two_places_of_a_packet_differ_in_fields_that_have_names():
    lab = Lab("ah_meets_nat").run()
    packet = lab.packets.where(layer="ah").first
    diff = packet.on("middle").diff(packet.on("outside"))
    assert diff.bytes == (8, 10, 11, 12, 13, 14, 15)
    assert diff.fields == ("Time to Live", "Header Checksum", "Source Address")
    assert "7 of 112 bytes differ" in repr(diff)
    assert diff.html().count("*</b>") == 14


def test_packets_of_the_past_are_those_that_were_made_by_then(done):
    done.at(3)
    assert len(done.packets) < len(done.at("end") and done.packets)


def test_both_ends_state_follows_the_position(done):
    done.at(1)
    assert not done.sas()
    done.at("end")
    (one,) = done.sas().where(node="east", direction="in")
    assert one.sequence == 1
    assert len(one.encryption_key) == 72
    assert set(done.node("east").addresses) == {"192.0.2.2", "10.2.0.1"}
    tunnel = done.tunnel("net")
    assert len(tunnel.sas) == 4
    assert tunnel.setup_time == pytest.approx(0.0008)
    assert [row.role for row in tunnel.ike] == ["initiator", "responder"]
    assert "net" in [row.name for row in done.policies("west")]
    assert done.routes("bob")[0].way
    with pytest.raises(NoSuchThing, match="did you mean 'east'"):
        done.node("esat")


def test_numbers_are_asked_for_in_the_words_of_claims(done):
    assert done.measure("ping received") == 1
    assert done.measure("packets layer=esp link=wan bytes") == 280
    assert done.measure("tunnel net setup_time") == pytest.approx(0.0008)
    assert done.measure("drops count") == 0
    assert done.expect("ping", "received 1")
    verdict = done.expect("ping", "received 3")
    assert not verdict
    assert "found 1" in str(verdict)
    with pytest.raises(ConfigError, match="nothing is called 'pnig'"):
        done.measure("pnig received")


def test_drops_and_why_name_the_reason():
    lab = Lab("ah_meets_nat").run()
    assert {row.reason for row in lab.drops} == {"AH_ICV_FAIL"}
    assert lab.why("ping").reason == "AH_ICV_NAT"
    assert repr(lab.why("ping")).startswith("AH_ICV_NAT   ")
    assert not Lab("site_to_site").run().why()


def test_messages_stand_in_the_order_in_which_they_were_sent():
    sent = [float(row.sent.removesuffix(" s")) for row in Lab("mobike_no_path").run().ladder(data=True)]
    assert sent == sorted(sent)
    assert sent[-1] > 100


def test_a_changed_copy_is_not_run_and_leaves_the_first_as_it_was(done):
    other = done.with_("links.wan.delay=50ms", seed=3)
    assert other.end.number == 0
    assert other.seed == "3"
    assert other.run().measure("ping rtt") > 0.2 > done.measure("ping rtt")
    with pytest.raises(LabError, match="not there yet"):
        done.with_(at=5)
    with pytest.raises(ConfigError, match="14OO"):
        done.with_("links.wan.mtu=14OO")
    assert Lab("ah_meets_nat").with_(nat="none").run().measure("ping received") == 3


def test_guesses_stand_beside_what_came_of_them():
    lab = Lab("site_to_site")
    lab.predict("ping received", 0)
    lab.predict("ping sent", 1)
    lab.predict("drops count", "...")
    assert [row.right for row in lab.predictions] == ["not known yet", "not known yet", "no guess"]
    assert [row.right for row in lab.run().predictions] == ["✗ other", "✓ right", "no guess"]


def test_a_topology_is_made_line_by_line_and_is_the_file_that_it_prints(tmp_path):
    top = Topology("two")
    top.node("a").node("b").link("wan", "a", "b", delay="10ms")
    top.tunnel("net", "a", "b", child={"mode": "transport"})
    top.do("ping a b", at="1s").expect("ping", "received 1")
    lab = Lab(top).run()
    assert lab.verdicts.one().met
    file = tmp_path / "two.yaml"
    file.write_text(top.to_yaml(), encoding="utf-8")
    again = Lab(file).run()
    assert [p.data for p in again.packets] == [p.data for p in lab.packets]


def test_everything_shows_itself_and_nothing_that_others_wrote_is_taken_for_markup():
    top = Topology("bad", story="<script>alert(1)</script>")
    top.node("a").node("b").link("wan", "a", "b")
    top.do("note <script>alert(2)</script>", at="1s").do("ping a b")
    lab = Lab(top).run()
    values = [lab, lab.turn, lab.packets, lab.packets[0], lab.packets[0].data and lab.packets[0].on("wan")]
    values += [
        lab.sas(),
        lab.routes(),
        lab.node("a"),
        lab.why(),
        lab.story(),
        lab.ladder(data=True),
        lab.map(),
    ]
    values += [lab.drops, lab.verdicts, lab.overhead(), lab.predictions, lab.packets[0].follow()]
    for value in values:
        shown = value._repr_mimebundle_()
        assert shown["text/plain"] == repr(value)
        assert "<script" not in shown["text/html"]


def test_the_map_and_the_ladder_are_drawn_with_their_text_beside(done):
    for value in (done.map(), done.ladder(), done.ladder("west", data=True)):
        shown = value._repr_mimebundle_()
        assert shown["text/html"].startswith('<img src="data:image/png;base64,')
        assert re.search(r'alt="[^"]+"', shown["text/html"])
        assert "the same as text" in shown["text/html"]
        assert shown["text/plain"] == value.text()


def test_what_is_drawn_is_what_is_asked_for_up_to_the_position():
    lab = Lab("site_to_site").run()
    assert [each.title for each in (lab.timeline(), lab.timeline("wan"))] == [
        "site_to_site: 10 packets on 3 links, none of them lost or dropped",
        "site_to_site: 6 packets on 1 link, none of them lost or dropped",
    ]
    lab.at(0)
    assert lab.timeline().title == "site_to_site: 0 packets on 0 links, none of them lost or dropped"
    with pytest.raises(LabError, match="there is no link 'wann'; did you mean 'wan'"):
        lab.timeline("wann")


def test_all_of_it_is_saved(tmp_path, done):
    done.save(tmp_path / "out")
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {"trace.jsonl", "capture.pcapng", "wireshark", "story.txt", "lab.yaml"}
    assert Lab(tmp_path / "out" / "lab.yaml").run().end.number == done.end.number
    frame = done.to_pandas()
    assert {"turn", "node", "event"} <= set(frame.columns)
    assert len(done.sas().to_pandas()) == 4
