"""What the stepper is sent says what the recording says, in few bytes, and both ways."""

import json
from base64 import b64decode
from copy import deepcopy
from typing import Any

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.experiment.telling import teller
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.packets.xray import xray
from ipsecsim.scenario import names, read
from ipsecsim.views.stepper.data import CHECKPOINT_EVERY, Feed, data, to_json
from ipsecsim.wire.layout import hex_text

MOST_BYTES_A_PACKET = 400  # beyond its bytes
WIDE = 150  # turns: a run long enough for layouts and words to repeat


def run_of(name: str) -> Run:
    return Run(read(name)).run()


@pytest.fixture(scope="module")
def behind_nat() -> Run:
    return run_of("behind_nat")


def state_at(sent: dict[str, Any], turn: int) -> dict[str, Any]:
    """As the page does it: from the checkpoint before, change by change."""
    start = max((each for each in sent["checkpoints"] if each["turn"] <= turn), key=lambda each: each["turn"])
    state = deepcopy(start["state"])
    for each in sent["turns"]:
        if start["turn"] < each["n"] <= turn:
            for path, _, new in each["changes"]:
                put(state, path, new)
    return state


def put(state: dict[str, Any], path: list[str], value: object) -> None:
    way = [state]
    for step in path[:-1]:
        way.append(way[-1].setdefault(step, {}))
    if value is not None:
        way[-1][path[-1]] = value
        return
    for at in range(len(path) - 1, -1, -1):
        del way[at][path[at]]
        if way[at]:
            break


def test_equal_runs_give_equal_bytes_and_the_object_is_plain_json(behind_nat):
    sent = to_json(data(behind_nat))
    assert sent == to_json(data(run_of("behind_nat")))
    assert json.loads(sent)["turns_total"] == behind_nat.turns


def test_nothing_in_it_can_end_a_script_element():
    assert "</script" not in to_json({"name": "</script><b>"})


def test_each_turn_says_what_its_story_says(behind_nat):
    sent, told = data(behind_nat), teller(behind_nat)
    text = sent["strings"]
    for each in sent["turns"]:
        story = told.tell(each["n"])
        assert (text[each["say"]], text[each["deeper"]], text[each["verb"]]) == (
            story.say,
            story.deeper,
            story.verb,
        )
        assert [(text[a], b, text[c]) for a, b, c in each["hooks"]] == [
            (hook.name, hook.verdict, hook.detail) for hook in story.hooks
        ]


def test_a_layout_and_the_bytes_show_every_field_as_the_x_ray_does(behind_nat):
    sent = data(behind_nat)
    keys = Keys.of(behind_nat.recorder.rows)
    for packet in sent["packets"]:
        plain = b64decode(packet.get("plain", packet["bytes"]))
        given = {number: sent["strings"][value] for number, value in packet["values"]}
        shown = []
        for layer in sent["layouts"][packet["layout"]]["layers"]:
            for name, first, width, protection, show, *_ in layer["fields"]:
                at = len(shown)
                value = given[at] if at in given else as_shown(plain, first, width, show)
                shown.append((sent["strings"][name].split(": ")[-1], first // 8, protection, value))
        seen = xray(b64decode(packet["bytes"]), keys)
        leaves = [
            (each.name, each.start, each.protection, each.value)
            for _, each in seen.root.walk()
            if not each.children
        ]
        assert sorted(shown) == sorted(leaves)


def as_shown(plain: bytes, first: int, width: int, show: str) -> str:
    base, _, rest = show.partition("|")
    piece = plain[first // 8 : (first + width + 7) // 8]
    number = int.from_bytes(piece, "big") >> (len(piece) * 8 - first % 8 - width) & ((1 << width) - 1)
    match base:
        case "ip4":
            return ".".join(map(str, piece)) + rest
        case "bytes":
            return hex_text(piece) + rest
        case "hex":
            return f"0x{number:0{width // 4}x}" + rest
        case "dec":
            return str(number) + rest
        case _:
            raise AssertionError(show)


@pytest.mark.slow
def test_a_packet_costs_little_beyond_its_bytes():
    for name in names():
        run = run_of(name)
        if run.turns < WIDE:
            continue
        packets = data(run)["packets"]
        own = sum(len(each["bytes"]) + len(each.get("plain", "")) for each in packets)
        assert (len(to_json({"packets": packets})) - own) / len(packets) < MOST_BYTES_A_PACKET, name


@pytest.mark.parametrize("name", ["behind_nat", "roaming_mobike"])
def test_the_state_at_any_turn_follows_from_checkpoints_and_changes(name):
    run = run_of(name)
    sent = data(run)
    for turn in {0, 1, 14, run.turns // 2, CHECKPOINT_EVERY, run.turns}:
        if turn <= run.turns:
            wanted = {node: run.inventory.tree(turn, node) for node in run.topology.nodes}
            assert {k: v for k, v in state_at(sent, turn).items() if v} == {
                k: v for k, v in wanted.items() if v
            }


def test_a_window_has_its_own_turns_and_the_state_before_them():
    run = run_of("behind_nat")
    sent = data(run, 20, 30)
    assert [each["n"] for each in sent["turns"]] == list(range(20, 31))
    assert sent["checkpoints"][0]["turn"] == 19
    assert len(sent["packets"]) < len(data(run)["packets"])


@pytest.mark.parametrize("name", ["site_to_site", "replay_attack", "two_clients_one_nat"])
def test_a_run_told_bit_by_bit_is_the_run_told_at_once(name):
    run = Run(read(name))
    feed = Feed(run)
    sent = feed.whole(live=True)
    while run.step(run.topology.until):
        more = feed.more()
        for each in ("turns", "strings", "layouts", "packets", "checkpoints"):
            sent[each] += more[each]
        sent["ladder"][more["ladder_from"] :] = more["ladder"]
    whole = data(run)
    assert [spelt(sent, each) for each in sent["turns"]] == [spelt(whole, each) for each in whole["turns"]]
    assert [spelt(sent, each) for each in sent["ladder"]] == [spelt(whole, each) for each in whole["ladder"]]


def spelt(sent: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Without indices that depend on the order of telling."""
    text = sent["strings"]
    words = ("say", "deeper", "verb", "message", "rfc", "name", "reason")
    spelled = {key: text[entry[key]] for key in words if entry.get(key) is not None}
    kept = ("n", "t", "node", "rel", "kinds", "changes", "turn_sent", "turn_arrived", "a", "b", "kind")
    return spelled | {key: entry[key] for key in kept if key in entry}


def test_the_ladder_shows_what_is_inside_to_those_who_have_keys(behind_nat):
    sent = data(behind_nat)
    rows = [
        (row["a"], row["b"], sent["strings"][row["name"]], [sent["strings"][chip] for chip in row["chips"]])
        for row in sent["ladder"]
    ]
    assert rows[0] == ("alice", "west", "echo request 1", [])
    assert rows[1][:3] == ("west", "east", "IKE_SA_INIT request")
    assert rows[1][3][:4] == ["SA", "KE", "Nonce", "N(NAT-D) x2"]
    assert ("west", "east", "ESP seq 1", ["IPv4 10.1.0.2 > 10.2.0.2", "echo request 1"]) in rows
    assert {sent["strings"][row["name"]] for row in sent["ladder"] if row["sealed"]} >= {
        "IKE_AUTH request",
        "ESP seq 1",
    }


def test_only_those_who_have_keys_are_readers(behind_nat):
    packets = data(behind_nat)["packets"]
    assert {tuple(each["readers"]) for each in packets} == {(), ("west", "east")}
    assert all(("plain" in each) is bool(each["readers"]) for each in packets)


def test_a_seal_that_somebody_broke_is_broken_for_all_who_have_keys():
    sent = data(run_of("ah_meets_nat"))
    assert any(each["broken"] for each in sent["packets"])
    assert not all(each["broken"] for each in sent["packets"])


@pytest.mark.slow
def test_chapters_are_few_and_begin_with_the_first_turn():
    for name in names():
        run = run_of(name)
        chapters = data(run)["chapters"]
        assert chapters[0]["turn"] == 1, name
        assert len(chapters) <= 14, name
        assert [each["turn"] for each in chapters] == sorted({each["turn"] for each in chapters}), name


def test_a_tunnel_that_hides_nothing_is_not_drawn_as_if_it_did() -> None:
    for name, protection in (("ah_meets_nat", "auth"), ("behind_nat", "both")):
        links = data(Run(read(name)).run())["links"]
        spans = [span for link in links for span in link["secured"]]
        assert spans
        assert {each for _, _, each in spans} == {protection}
