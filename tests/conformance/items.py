"""The requirements (tests/data/conformance.csv), and which of them wait for what (conformance_waiting.csv)."""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"

AREAS = {
    "ARC": "architecture",
    "AH": "Authentication Header",
    "ESP": "Encapsulating Security Payload",
    "ESN": "extended sequence numbers",
    "UDP": "ESP in UDP",
    "IK2": "IKEv2",
    "FRG": "IKE fragmentation",
    "SIG": "signatures and certificates",
    "MOB": "MOBIKE",
    "INT": "the intermediate exchange",
    "NAT": "network address translation",
}
"""The areas that are begun. Their items stand in the table one by one, the others are counted only."""


@dataclass(frozen=True, slots=True)
class Item:
    """One requirement. `level` is the RFC's word; PRACTICE is a rule of ours, none is said without such a word.

    `basis` says how we know: checked against the text, or from memory because it was not at hand.
    """

    id: str
    rfc: str
    section: str
    level: str
    text: str
    priority: str
    area: str
    basis: str

    @property
    def place(self) -> str:
        """Where it is written: 'RFC 4303 2.4', or the draft's name."""
        rfc = f"RFC {self.rfc}" if self.rfc.isdecimal() else self.rfc
        return f"{rfc} {self.section}"

    @property
    def is_begun(self) -> bool:
        """Is its area one that the table shows?"""
        return self.area in AREAS


def read_items() -> dict[str, Item]:
    """Every requirement by its id, in the order of the file."""
    with (DATA / "conformance.csv").open(encoding="utf-8", newline="") as file:
        names = Item.__slots__
        return {row["id"]: Item(*(row[name] for name in names)) for row in csv.DictReader(file)}


def read_waiting() -> dict[str, str]:
    """What each waiting requirement waits for, by id."""
    with (DATA / "conformance_waiting.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["waits_for"] for row in csv.DictReader(file)}


NOT_OFFERED = "not offered"
"""How the text of a waiting requirement begins that is about an option, and one that we do not have."""


def contradictions(
    items: Mapping[str, Item],
    waiting: Mapping[str, str],
    marked: Mapping[str, Sequence[str]],
    faults: Collection[str] = (),
) -> list[str]:
    """What tests and tables say that cannot be so; a sentence each."""
    found = [
        f"{test} claims {name}, which is neither a requirement nor a fault"
        for name, tests in marked.items()
        if name not in items and name not in faults
        for test in tests
    ]
    found += [
        f"{test} claims {name}: look RFC {items[name].rfc} up first, the row was written from memory"
        for name, tests in marked.items()
        if name in items and items[name].basis == "memory"
        for test in tests
    ]
    found += [f"{name} is said to wait, and is no requirement" for name in waiting if name not in items]
    found += [
        f"{name} is said to wait, and {marked[name][0]} bears it out" for name in waiting if name in marked
    ]
    return found
