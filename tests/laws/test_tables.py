"""The tables and the tree hold what they promise: reasons that are raised and tested, files of one idea."""

import re
from pathlib import Path

import pytest

import ipsecsim
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.scenario.not_yet import DIAGNOSES_LATER, DROPS_LATER

ROOT = Path(ipsecsim.__file__).parent
TESTS = Path(__file__).parents[1]


def mentions(folder: Path, *left_out: str) -> str:
    return "\n".join(p.read_text(encoding="utf-8") for p in folder.rglob("*.py") if p.name not in left_out)


CODE = mentions(ROOT, "drop_reasons.py", "words.py", "cures.py")  # what only speaks of reasons raises none
ALL_TESTS = mentions(TESTS, "test_tables.py")


@pytest.mark.parametrize("reason", list(DropReason), ids=lambda reason: reason.name)
def test_every_drop_reason_is_raised_and_reached(reason):
    assert re.search(rf"DropReason\.{reason.name}\b", CODE), "nothing raises it"
    assert re.search(rf"\b{reason.name}\b", ALL_TESTS), "no test reaches it"


def test_no_drop_reason_is_both_here_and_still_to_come():
    assert not DROPS_LATER & set(DropReason.__members__)


@pytest.mark.parametrize("diagnosis", list(Diagnosis), ids=str)
def test_every_diagnosis_is_made_and_tested_or_still_to_come(diagnosis):
    is_made = re.search(rf"Diagnosis\.{diagnosis.name}\b", CODE)
    assert bool(is_made) is (diagnosis.name not in DIAGNOSES_LATER)
    assert not is_made or re.search(rf"\bDiagnosis\.{diagnosis.name}\b", ALL_TESTS), "no test makes it"


def test_no_file_is_a_hall():
    """A file is one idea, about 100 to 400 lines; tables may be a little longer."""
    long = {
        str(path.relative_to(ROOT)): count
        for path in ROOT.rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert long == {}


def test_init_files_hold_no_logic():
    for path in ROOT.rglob("__init__.py"):
        code = path.read_text(encoding="utf-8")
        assert code.startswith('"""'), f"{path} says nothing about its package"
        assert not re.search(r"^(def|class|for|if|while) ", code, re.MULTILINE), path
