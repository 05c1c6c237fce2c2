"""Every hostile input that is listed has a test that makes it."""

import csv
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
AREAS = {"data plane": 13, "certificate": 14, "ikev2": 28}
"""The areas that are built, and how many rows they have."""

OF_IKE_1 = {"HOS-41", "HOS-82", "HOS-83"}
"""The DOI's situation, the secret that main mode gives away, and RSA-encrypted nonces."""


def listed() -> dict[str, str]:
    """The area of every id."""
    with (TESTS / "data" / "hostile_inputs.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["area"] for row in csv.DictReader(file)}


def made() -> set[str]:
    """What the marks of all tests say."""
    texts = [path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")]
    marks = [mark for text in texts for mark in re.findall(r"mark\.hos\(([^)]*)\)", text)]
    return {name for mark in marks for name in re.findall(r'"([^"]*)"', mark)}


def test_every_row_has_a_test():
    for area, count in AREAS.items():
        wanted = {name for name, each in listed().items() if each == area}
        assert len(wanted) == count, area
        assert wanted - OF_IKE_1 <= made(), area


def test_marks_name_rows_that_there_are():
    assert made() <= set(listed())
