"""The limits that docs/SECURITY.md promises are those of the code, and what it says is not used is not used."""

import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

import ipsecsim

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "SECURITY.md").read_text(encoding="utf-8")
LIMITS = re.findall(r"\| (\d+) \| `([\w.]+):([\w.]+)` \|", TEXT)
CODE = sorted(Path(ipsecsim.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize(("limit", "module", "name"), LIMITS)
def test_a_limit_is_the_one_in_the_code(limit, module, name):
    assert reduce(getattr, name.split("."), importlib.import_module(module)) == int(limit)


def test_the_table_was_read():
    assert len(LIMITS) == TEXT.count("` |\n")


@pytest.mark.parametrize(
    "word", [r"import pickle", r"\beval\(", r"\bexec\(", r"shell=True", r"urllib", r"import requests"]
)
def test_no_pickle_no_eval_no_shell_no_fetch(word):
    assert [path.name for path in CODE if re.search(word, path.read_text(encoding="utf-8"))] == []
