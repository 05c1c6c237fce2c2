"""docs/ARCHITECTURE.md and the decisions name files, modules and functions that exist."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ipsecsim"
DOCUMENT = ROOT / "docs" / "ARCHITECTURE.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")

PARTS = dict(pairwise(re.split(r"^## (.*)\n", TEXT, flags=re.MULTILINE)[1:]))
ROOMS = {
    room: cell
    for rooms, cell in re.findall(r"^\| (`[a-z`, ]+`) \| (.*) \|$", PARTS["The rooms"], re.MULTILINE)
    for room in re.findall(r"[a-z]+", rooms)
}
# `ipsec/engine: outbound` and, in braces, `esp: content`; what IKE looks up in a table is no name of its own
STEPS = re.findall(r"([a-z_/0-9]+): ([a-z_]+(?:, [a-z_]+)*)", PARTS["Two journeys"].replace("\n", " "))


def exists(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


IKEV2 = dict(re.findall(r"^\| `(v2[a-z/]*)` \| .* \| (.*) \|$", PARTS["The rooms"], re.MULTILINE))
OBSERVE = dict(re.findall(r"^\| `observe/([a-z_]+)` \| .* \| (.*) \|$", PARTS["The rooms"], re.MULTILINE))


def test_every_module_of_ikev2_stands_in_its_room():
    there = {
        str(folder.relative_to(PACKAGE / "ike")): folder
        for folder in (PACKAGE / "ike" / "v2").glob("**")
        if (folder / "__init__.py").is_file() and folder.name != "exchanges"
    }
    assert set(IKEV2) == set(there)
    for room, folder in there.items():
        modules = {each.stem for each in folder.glob("*.py") if each.stem != "__init__"}
        assert set(re.findall(r"`([a-z_]+)`", IKEV2[room])) - {"exchanges"} == modules


def test_every_room_of_the_recording_is_there_and_names_its_own_modules():
    folder = PACKAGE / "observe"
    assert set(OBSERVE) == {each.name for each in folder.iterdir() if (each / "__init__.py").is_file()}
    for room, cell in OBSERVE.items():
        assert all(exists(folder / room, name) for name in re.findall(r"`([a-z_]+)`", cell)), room


def test_every_package_has_a_room_and_every_room_a_package():
    assert set(ROOMS) == {each.name for each in PACKAGE.iterdir() if (each / "__init__.py").is_file()}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_names_modules_that_are_there(room):
    named = [name for name in re.findall(r"`([a-z_0-9/]+)`", ROOMS[room]) if not name.endswith("_")]
    assert named or ROOMS[room].startswith(("text", "the same engines"))
    missing = [name for name in named if not (exists(PACKAGE / room, name) or exists(PACKAGE, name))]
    assert not missing


@pytest.mark.parametrize("path", [DOCUMENT, *sorted((ROOT / "docs" / "decisions").glob("*.md"))], ids=str)
def test_files_that_are_named_are_there(path):
    named = re.findall(r"`([a-z_0-9/]+\.(?:py|md|csv|toml|yaml))`", path.read_text(encoding="utf-8"))
    bases = (ROOT, PACKAGE, ROOT / "docs")
    missing = [
        name
        for name in named
        if not any((base / name).exists() for base in bases) and not any(PACKAGE.rglob(name))
    ]
    assert not missing


@pytest.mark.parametrize(("module", "functions"), STEPS)
def test_a_journey_passes_functions_that_are_there(module, functions):
    sources = [each for each in PACKAGE.rglob("*.py") if f"/{each.with_suffix('')}".endswith(f"/{module}")]
    defined = "\n".join(each.read_text(encoding="utf-8") for each in sources)
    assert sources
    for name in functions.split(", "):
        assert re.search(rf"\b(def {name}\(|self\.{name} = )", defined), name
