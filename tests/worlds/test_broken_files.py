"""What is said about broken files: the examples', held against the messages they should get, and our own."""

import json
import os
import re
from pathlib import Path

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario import check, names, read
from ipsecsim.scenario.problems import did_you_mean

EXAMPLES = Path(__file__).parent.parent / "data" / "topology_examples"
BROKEN = EXAMPLES / "broken"
TABLE = json.loads((EXAMPLES / "messages_table.json").read_text(encoding="utf-8"))
OWN = json.loads((EXAMPLES / "own_messages.json").read_text(encoding="utf-8"))


def told(path: Path) -> str:
    """What a person is told about a file, in the form of `messages.txt`."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        checked = check(path.name)
    except ConfigError as error:
        return str(error)
    finally:
        os.chdir(before)
    lines = [f"ok  {path.name} {checked.nodes} nodes {checked.links} links", *map(str, checked.warnings)]
    return "\n".join(lines)


def sections() -> dict[str, str]:
    """`messages.txt` taken apart: what should be said about each file."""
    text = (BROKEN / "messages.txt").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)[1:]
    wanted = zip(parts[::2], parts[1::2], strict=True)
    return {name.strip(): "\n".join(line.rstrip() for line in body.splitlines()) for name, body in wanted}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["file"])
def test_the_message_is_the_one_in_the_table(row):
    assert told(BROKEN / row["file"]) == row["ours"]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["file"])
def test_the_message_is_the_wanted_one_or_says_why_it_is_better(row):
    wanted = sections()[row["file"]]
    if row["verdict"] == "exact":
        assert row["ours"] == wanted
    else:
        assert row["verdict"] == "better"
        assert row["why"]
        assert row["theirs"] == wanted != row["ours"]


def test_every_broken_file_is_in_the_table():
    files = {path.name for path in BROKEN.glob("*.yaml")}
    assert {row["file"] for row in TABLE} == files == set(sections())


def test_most_messages_are_exactly_the_wanted_ones():
    exact = sum(row["verdict"] == "exact" for row in TABLE)
    assert (exact, len(TABLE) - exact) == (55, 7)


@pytest.mark.parametrize("case", OWN, ids=lambda case: case["name"])
def test_newcomers_mistakes_are_answered_with_place_and_remedy(case):
    with pytest.raises(ConfigError) as caught:
        read("\n".join(case["source"]) + "\n")
    library = did_you_mean(
        case["source"][-1], names()
    )  # another topology there changes what is said about it
    assert str(caught.value).splitlines() == [line.replace("{the library}", library) for line in case["ours"]]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_good_examples_have_no_mistake(path):
    checked = check(path)
    assert checked.name == path.stem
    assert all(error.message.startswith("not yet: ") for error in checked.later)
