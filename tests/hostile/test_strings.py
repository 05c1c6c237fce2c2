"""Hostile words as names, identities and certificate fields, through everything that writes: nothing breaks.

The words are in tests/data/hostile_strings.json. In a browser they are tried in tests/browser.
"""

import io
import json
import os
import re
import shutil
import subprocess
import warnings
from html.parser import HTMLParser
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ipsecsim.base.errors import ConfigError
from ipsecsim.experiment.packets import Packets
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.save import save
from ipsecsim.experiment.telling import teller
from ipsecsim.ike.identity import Identity
from ipsecsim.lab.shown import Shown
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.packets.xray import xray
from ipsecsim.observe.written import jsonl
from ipsecsim.observe.written.key_log import PROFILE
from ipsecsim.observe.written.wireshark_names import EDITIONS
from ipsecsim.scenario.read import read
from ipsecsim.scenario.to_yaml import expanded_yaml
from ipsecsim.views import packets_text, state_tables, tables, text, turn_text, xray_text
from ipsecsim.views.figures import FIGURES, draw
from ipsecsim.views.stepper import page
from ipsecsim.views.stepper.data import data
from ipsecsim.views.why import troubles
from ipsecsim.wire.ike.numbers import IdType
from tests.support.hostile_names import certified, is_surrogate, run_of, strings, worlds

pytestmark = pytest.mark.slow

WORLDS = range(13)
BY_READER = {what: word for what, word in strings().items() if what != "constructor"}


def test_there_are_enough_of_them_and_each_is_a_name_somewhere():
    assert len(strings()) >= 60
    assert len(worlds()) == len(WORLDS)
    assert {name for world in worlds() for name in world.nodes} == set(strings().values())


# What is read


@pytest.mark.parametrize("word", BY_READER.values(), ids=BY_READER)
def test_the_reader_refuses_it_as_a_name_in_words_that_can_be_shown(word):
    written = json.dumps(word, ensure_ascii=any(map(is_surrogate, word)))
    with pytest.raises(ConfigError) as refused:
        read(f"name: x\nnodes:\n  {written}: {{kind: host}}\n  bob: {{kind: host}}\n")
    assert_can_be_shown(str(refused.value))
    assert len(str(refused.value)) < 30_000


@pytest.mark.parametrize("word", strings().values(), ids=strings())
def test_an_identity_is_shown_without_what_is_invisible(word):
    sent = word.encode("utf-8", "surrogatepass")
    for id_type in (IdType.ID_FQDN, IdType.ID_RFC822_ADDR, IdType.ID_KEY_ID, IdType.ID_DER_ASN1_DN):
        assert_can_be_shown(str(Identity(id_type, sent)))


# What is written as text


@pytest.mark.parametrize("at", WORLDS)
def test_story_and_tables_stay_lines_of_visible_signs(at):
    run = run_of(at)
    story = list(text.story(run.recorder))
    assert_can_be_shown("\n".join(story))
    assert len(story) == run.turns
    # no name begins a line that looks like a turn of its own
    assert sum(line.startswith("turn ") for block in story for line in block.splitlines()) == run.turns
    for view in (
        tables.summary,
        state_tables.policies,
        state_tables.associations,
        tables.drops,
        tables.expectations,
        troubles,
    ):
        assert_can_be_shown(view(run))
    tells = teller(run)
    for number in (1, 2, run.turns):
        assert_can_be_shown(turn_text.page(run, tells.tell(number), run.turns))
    assert_can_be_shown("\n".join(packets_text.listing(Packets(run))))
    assert_can_be_shown("\n".join(packets_text.whole(each) for each in Packets(run)[:8]))


@pytest.mark.parametrize("at", WORLDS)
def test_what_a_packet_says_is_shown_as_text(at):
    run = run_of(at)
    keys = Keys.of(run.recorder.rows)
    for life in run.lives.all[:8]:
        assert_can_be_shown("\n".join(xray_text.fields(xray(life.first, keys))))


@pytest.mark.parametrize("at", WORLDS)
def test_the_trace_is_a_line_of_json_a_row_and_names_come_back_whole(at):
    run, file = run_of(at), io.StringIO()
    jsonl.write(run.recorder.rows, file)
    lines = file.getvalue().split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(run.recorder.rows)
    assert all(line.isascii() for line in lines)
    assert {json.loads(line)["node"] for line in lines} <= set(run.topology.nodes)


# What is written into folders


@pytest.mark.parametrize("at", WORLDS)
def test_files_stay_in_their_folder_and_can_be_read(at, tmp_path):
    run, folder = run_of(at), tmp_path / "out"
    save(run, folder)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    profiles = [f"out/wireshark/profiles/{edition.profile}" for edition in EDITIONS]
    tables_of_wireshark = ("preferences", "colorfilters", "esp_sa", "ikev2_decryption_table")
    assert written == {
        *(f"out/{name}" for name in ("trace.jsonl", "audit.jsonl", "capture.pcapng")),
        *(f"{profile}/{name}" for profile in profiles for name in tables_of_wireshark),
    }
    for line in (folder / "audit.jsonl").read_text(encoding="utf-8").splitlines():
        json.loads(line)
    if shutil.which("tshark"):
        assert_tshark_reads(run, folder)


def assert_tshark_reads(run: Run, folder: Path) -> None:
    environment = {**os.environ, "WIRESHARK_CONFIG_DIR": str(folder / "wireshark")}
    command = ["tshark", "-C", PROFILE, "-r", str(folder / "capture.pcapng"), "-T", "fields"]
    fields = [f"-e{name}" for name in ("frame.number", "esp.icv_good", "frame.comment")]
    done = subprocess.run([*command, *fields], capture_output=True, env=environment, check=False)
    complaints = [line for line in done.stderr.splitlines() if b"dangerous" not in line]
    assert (done.returncode, complaints) == (0, [])
    rows = [line.split(b"\t") for line in done.stdout.rstrip(b"\n").split(b"\n")]
    assert len(rows) == sum(len(life.hops) for life in run.lives.all)
    assert all(row[2].startswith(b"Turn ") for row in rows)
    assert sum(row[1] == b"1" for row in rows) == 18  # six packets on three links, opened and whole


@pytest.mark.parametrize("at", WORLDS)
@pytest.mark.parametrize("kind", FIGURES)
def test_figures_take_names_as_they_are(kind, at):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw(run_of(at), kind)
        assert figure.data("png").startswith(b"\x89PNG")
        drawn = figure.data("svg").decode("utf-8")
    assert_can_be_shown(figure.text)
    assert_can_be_shown(figure.alt)
    assert_runs_nothing(drawn)


# What a browser is given


@pytest.mark.parametrize("at", WORLDS)
def test_the_page_has_its_own_scripts_and_no_other(at):
    written = page.to_html(data(run_of(at)))
    parsed = Parsed(written)
    assert [kind for tag, kind in parsed.scripts] == ["application/json", "module"]
    assert not parsed.handlers
    assert not parsed.addresses
    assert set(parsed.tags) & {"iframe", "img", "svg", "base", "object", "embed", "link", "form"} == set()
    assert set(json.loads(parsed.texts["run"])) >= {"nodes", "turns", "strings"}
    written.encode("utf-8")


@pytest.mark.parametrize("word", strings().values(), ids=strings())
def test_what_a_notebook_shows_is_text(word):
    class Said(Shown):
        def text(self) -> str:
            return word

    parsed = Parsed(Said().html())
    assert parsed.tags == ["pre"]
    assert not parsed.scripts


@pytest.mark.parametrize("at", WORLDS)
def test_a_topology_is_written_as_yaml_that_means_the_same_words(at):
    world = worlds(longest=1000)[at]  # YAML has no keys of more than 1024 signs (YAML 1.2, 7.4.2)
    names = list(YAML(typ="safe", pure=True).load(expanded_yaml(world))["nodes"])
    assert names == list(world.nodes)


# What stands in a certificate

UNFIT = {
    "control characters",
    "empty",
    "spaces",
    "not a character",
    "lone high surrogate",
    "lone low surrogate",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", strings())
def test_a_certificate_with_it_is_believed_and_written_everywhere(what, tmp_path):
    if what in UNFIT:
        with pytest.raises(ConfigError) as refused:
            certified(strings()[what])
        assert_can_be_shown(str(refused.value))
        return
    run = certified(strings()[what])
    assert all(verdict.is_met for verdict in run.verdicts())
    for line in text.story(run.recorder):
        assert_can_be_shown(line)
    for view in (tables.summary, state_tables.policies, state_tables.associations, troubles):
        assert_can_be_shown(view(run))
    tells = teller(run)
    for number in range(1, run.turns + 1):
        assert_can_be_shown(turn_text.page(run, tells.tell(number), run.turns))
    for life in run.lives.all:
        assert_can_be_shown("\n".join(xray_text.fields(xray(life.first, run.keys))))
    parsed = Parsed(page.to_html(data(run)))
    assert [kind for _, kind in parsed.scripts] == ["application/json", "module"]
    assert not parsed.handlers
    assert not parsed.addresses
    save(run, tmp_path / "out")
    lines = (tmp_path / "out" / "trace.jsonl").read_text(encoding="utf-8").splitlines()
    assert len([json.loads(line) for line in lines]) == len(run.recorder.rows)
    assert_can_be_shown(draw(run, "ladder").text)


def assert_can_be_shown(words: str) -> None:
    """Nothing in it moves a cursor, changes a colour, turns the direction, or hides."""
    found = {sign for sign in words if not sign.isprintable() and sign != "\n"}
    assert not found, ascii(found)


def assert_runs_nothing(drawn: str) -> None:
    """An SVG of shapes: no script, no event handler, no address of anybody else."""
    parsed = Parsed(drawn)
    assert not parsed.scripts
    assert not parsed.handlers
    assert not re.search(r"javascript:|data:text", " ".join(parsed.addresses))


class Parsed(HTMLParser):
    """The tags of a page, its scripts, event handlers and addresses, and the text of what has an id."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[tuple[str, str]] = []
        self.handlers: list[str] = []
        self.addresses: list[str] = []
        self.texts: dict[str, str] = {}
        self._id = ""
        self.feed(written)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = {name: value or "" for name, value in attrs}
        if tag == "script":
            self.scripts.append((tag, given.get("type", "")))
        self.handlers += [name for name in given if name.startswith("on")]
        self.addresses += [given[name] for name in ("src", "href", "action", "srcdoc") if name in given]
        self._id = given.get("id", "")

    def handle_data(self, told: str) -> None:
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + told
