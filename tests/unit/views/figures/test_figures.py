"""Figures say what happened: their data, their text, and what they look like."""

import os
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ipsecsim.base.errors import ConfigError
from ipsecsim.experiment.run import Run
from ipsecsim.observe.packets.layers import parts
from ipsecsim.observe.packets.xray import xray
from ipsecsim.scenario import library
from ipsecsim.scenario.read import read
from ipsecsim.views.figures import FIGURES, draw
from ipsecsim.views.figures.ladder import messages
from ipsecsim.views.figures.nat_table import mappings
from ipsecsim.views.figures.series import series
from ipsecsim.views.figures.sizes import sorts
from ipsecsim.views.figures.timeline import seen
from ipsecsim.views.figures.window import histories
from ipsecsim.wire.headers import first
from ipsecsim.wire.numbers import IpProtocol

UPDATE = "IPSECSIM_UPDATE_GOLDEN"
GOLDEN = Path(__file__).parent / "golden"
PICTURES = {
    "topology": ("behind_nat", "two_clients_one_nat"),
    "ladder": ("ah_meets_nat", "site_to_site"),
    "packets": ("replay_attack",),
    "window": ("replay_attack", "reordering_small_window"),
    "sizes": ("ah_and_esp",),
    "throughput": ("voice_over_tunnel",),
    "delay": ("lossy_link",),
    "nat": ("road_warrior_idle",),
}

pytestmark = pytest.mark.slow


@cache
def run_of(name: str) -> Run:
    path = library.find(name)
    assert path is not None
    return Run(read(path)).run()


def cases() -> list[tuple[str, str]]:
    return [(kind, name) for kind, names in PICTURES.items() for name in names]


# What they look like


@pytest.mark.parametrize(("kind", "name"), cases())
def test_a_figure_looks_as_it_did(kind, name):
    data = draw(run_of(name), kind).data()
    path = GOLDEN / f"{kind}_{name}.png"
    if os.environ.get(UPDATE):
        path.write_bytes(small(data))
    assert path.stat().st_size < 60_000
    drawn, golden = shades(small(data)), shades(path.read_bytes())
    assert drawn.shape == golden.shape
    apart = np.sqrt(np.mean((drawn - golden) ** 2))
    assert apart < 6, (
        f"{path.name} differs by {apart:.1f} of 255"
    )  # fonts are drawn a little otherwise elsewhere


def test_a_figure_that_lacks_its_marks_is_told_from_its_golden_image():
    golden = shades((GOLDEN / "ladder_ah_meets_nat.png").read_bytes())
    wrong = golden.copy()
    wrong[wrong < 200] = 255
    assert np.sqrt(np.mean((golden - wrong) ** 2)) > 6


def small(data: bytes) -> bytes:
    """Half as wide and high, with few colours: enough to see whether something has changed."""
    picture = Image.open(BytesIO(data)).convert("RGB")
    file = BytesIO()
    half = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    half.quantize(64).save(file, "png", optimize=True)
    return file.getvalue()


def shades(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"), dtype=float)


@pytest.mark.parametrize("kind", FIGURES)
def test_every_kind_can_be_drawn_and_written_in_every_format_the_same_each_time(kind, tmp_path):
    name = PICTURES[kind][0]
    figure, again = draw(run_of(name), kind), draw(run_of(name), kind)
    assert figure.kind == kind
    assert figure.text.splitlines()[0] == figure.title
    assert figure.title in figure.alt
    for form, beginning in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        path = figure.save(tmp_path / f"it.{form}")
        assert path.read_bytes().startswith(beginning)
        assert again.data(form) == path.read_bytes()


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("name", ["spd_order_wrong", "transport_esp", "psk_mismatch"])
def test_a_run_in_which_little_happens_can_be_drawn(kind, name):
    assert draw(run_of(name), kind).data()


def test_a_name_that_is_no_pictures_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"\.png, \.svg, \.pdf"):
        draw(run_of("transport_esp"), "topology").save(tmp_path / "map.exe")


# What they say


def test_the_ladder_has_each_packet_from_end_to_end_and_what_was_under_its_seal():
    found = messages(run_of("behind_nat"))
    request, _, proof, *_ = [each for each in found if each.kind == "ike"]
    assert request.way == ("west", "home", "internet", "east")
    assert request.rewriters == {"home"}
    assert request.chips[:3] == ("SA", "KE", "Nonce")
    assert not request.is_sealed
    assert proof.is_sealed
    assert "AUTH" in proof.chips
    protected = [each for each in found if each.kind == "esp"]
    assert [each.chips for each in protected[:2]] == [("echo request 1",), ("echo reply 1",)]
    assert [each.turn for each in found] == sorted(each.turn for each in found)


def test_the_ladder_says_where_packets_end_and_why():
    assert {each.reason for each in messages(run_of("ah_meets_nat"))} == {"AH_ICV_FAIL"}
    assert "dropped: AH_ICV_FAIL" in draw(run_of("ah_meets_nat"), "ladder").text


def test_the_timeline_has_every_frame():
    run = run_of("replay_attack")
    assert len(seen(run)) == sum(len(life.hops) for life in run.lives.all)
    assert {each.kind for each in seen(run)} == {"ike", "esp", "forward"}
    assert {each.link for each in seen(run) if each.is_lost} == {"wan"}


def test_the_window_shows_what_was_seen_and_what_came_again():
    history = histories(run_of("replay_attack"))[0]
    assert (history.node, history.size) == ("east", 32)
    assert [look.came for look in history.looks if not look.reason] == [1, 2, 3, 4]
    again = [look for look in history.looks if look.reason]
    assert {look.came for look in again} == {1, 2, 3}
    assert all(look.reason == "REPLAY_SEEN" and look.top == 3 for look in again)
    assert again[0].numbers("1") == [1, 2, 3]


def test_what_is_left_of_the_window_is_too_old():
    history = histories(run_of("reordering_small_window"))[0]
    refused = [look for look in history.looks if look.reason]
    assert refused
    assert all(look.came < look.first for look in refused)
    assert {look.reason for look in refused} == {"REPLAY_OLD"}


def test_the_parts_of_a_packet_are_all_of_its_bytes():
    run = run_of("ah_and_esp")
    for life in run.lives.all:
        assert sum(part.length for part in parts(xray(life.first))) == len(life.first)


def test_sizes_are_stacked_by_layer_with_the_class_of_each():
    sort = next(each for each in sorts(run_of("site_to_site")) if each.node == "west")
    found = {(part.name, part.protection): part.length for part in sort.parts}
    assert found["ESP", "auth"] == 8
    assert found["IV", "auth"] == 8
    assert found["ICV", "auth"] == 16
    assert found["payload", "both"] == 56
    assert found["IPv4", "clear"] == 20
    assert found["IPv4", "both"] == 20
    assert found["padding", "both"] + found["trailer", "both"] == 4
    assert (sort.carried, sort.length) == (84, 140)


def test_a_sum_of_sizes_is_what_went_over_the_wire():
    run = run_of("site_to_site")
    sealed = [life.first for life in run.lives.all if first(life.first, IpProtocol.ESP) is not None]
    assert sum(each.count * each.length for each in sorts(run)) == sum(map(len, sealed))


def test_series_have_what_arrived_and_what_was_lost():
    voice = series(run_of("voice_over_tunnel"))
    result = run_of("voice_over_tunnel").world.results["call"]
    assert [(each.name, len(each.arrived)) for each in voice] == [("call", result.received)]
    assert len(voice[0].lost) == result.lost
    assert all(took > 0 for _, took, _ in voice[0].arrived)


def test_the_nats_table_has_keepalives_and_the_end_of_a_mapping():
    first_one, second = mappings(run_of("road_warrior_idle"))
    assert first_one.ended == first_one.made + first_one.lifetime  # what came from outside did not help
    assert first_one.why == "nobody inside has used it"
    assert second.ended is None
    assert len(second.kept) == 4
    assert second.label.startswith("UDP 192.168.1.2:4500 > ")
