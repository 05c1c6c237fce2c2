from pathlib import Path

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.source import MAX_BYTES, load_file, load_text
from ipsecsim.scenario.tree import Map, Seq, Text


def tree(text: str) -> Map:
    return load_text(text, "file.yaml", Problems())


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        tree(text)
    return str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    "value", ["0123", "no", "on", "1e3", "22:22", "000000", "2026-01-01", "0x10", "~", "1_0"]
)
def test_a_value_is_what_is_written(value):
    assert tree(f"key: {value}\n").text("key").value == value


def test_every_value_knows_its_place():
    root = tree('a: {b: [one, "two"]}\nc: >\n  three\n  four\n')
    listed = root.map("a").get("b")
    assert isinstance(listed, Seq)
    assert [(text.place.line, text.place.column) for text in listed.items] == [(1, 9), (1, 14)]
    assert listed.items[0].place.source == 'a: {b: [one, "two"]}'
    assert root.text("c").value == "three four\n"
    assert root.text("c").place.line == 2


def test_an_offset_in_a_quoted_value_is_found_behind_the_quote():
    text = tree('do: "ping alice bbo"\n').text("do")
    assert text.at(11).column == 17
    assert tree("do: ping alice bbo\n").text("do").at(11).column == 16


def test_an_offset_in_folded_text_points_at_its_beginning():
    text = tree("do: >\n  ping alice\n  bbo\n").text("do")
    assert text.at(11) == text.place


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "file.yaml:3:1: 'a' stands here twice (first in line 1); keep one"),
        ("a: &x [1]\n", "file.yaml:1:4: YAML aliases are not used here"),
        ("a: *x\n", "file.yaml:1:4: YAML aliases are not used here"),
        ("<<: {a: 1}\n", "file.yaml:1:1: YAML aliases are not used here"),
        ("a: !!int 3\n", "file.yaml:1:4: YAML tags such as tag:yaml.org,2002:int are not used here"),
        ("a: 1\n---\nb: 2\n", "file.yaml:2:1: one file holds one topology; remove all from this '---' on"),
        ("%YAML 1.1\n---\na: 1\n", "file.yaml:2:1: directives such as %YAML and %TAG are not used here"),
        ("? [a]\n: 1\n", "file.yaml:1:3: a key is one word"),
        ("- a\n", "file.yaml:1:1: a topology begins with  name: some_name"),
        ("", "file.yaml: the file is empty"),
        ("a: 1\n\tb: 2\n", "file.yaml:2:1: a tab; YAML indents with spaces only"),
        ("a: {b: 1\nc: 2\n", "file.yaml:1:4: this '{' is not closed with '}' in its line"),
        ("a: 'b\n", "file.yaml:1:4: this quote is never closed"),
        ("a: 1\n  b: 2\n", "file.yaml:2:4: this text has ': ' in it"),
        ("a: @b\n", "file.yaml:1:4: a value can't begin with '@' in YAML; put it in quotes"),
        ("a: \x07\n", "file.yaml:1: a control character (U+0007) stands in this line; remove it"),
        ("a: " + "[" * 40 + "\n", "file.yaml:1:35: nested deeper than 32 levels"),
    ],
)
def test_what_is_no_topology_is_refused_at_its_place(text, message):
    assert refusal(text).startswith(message)


def test_a_file_over_one_mebibyte_is_refused(tmp_path):
    path = tmp_path / "big.yaml"
    path.write_text("# " + "x" * MAX_BYTES)
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load_file(path, Problems())


def test_too_many_values_are_refused():
    assert "more than 100000 values" in refusal("a: [" + "0," * 100_001 + "]\n")


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"a: 1\nb: \xe4\n")
    with pytest.raises(ConfigError, match=r"latin.yaml:2: this line is no UTF-8 text"):
        load_file(path, Problems())


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match="can't be read"):
        load_file(Path("nowhere.yaml"), Problems())


def test_a_secret_cut_by_a_comment_draws_a_warning():
    problems = Problems()
    load_text("secrets: {}\nsecret: tiger #1\nid: x # fine\n", "file.yaml", problems)
    assert [(str(each.place), each.message) for each in problems.remarks] == [
        ("file.yaml:2:14", "the secret ends at 'tiger'; if '#1' belongs to it, put it in quotes")
    ]


def test_a_very_long_line_is_not_shown():
    with pytest.raises(ConfigError) as caught:
        tree("a: @" + "b" * 5000 + "\n")
    assert len(str(caught.value)) < 200


def test_the_tree_holds_text_only():
    root = tree("a: 1\nb: [2, {c: 3}]\n")
    assert isinstance(root.get("a"), Text)
