"""Every notebook runs from a fresh kernel, is in step with its source, and its exercises can be solved."""

import json
import re
from importlib import import_module

import jupytext
import nbformat
import pytest

from ipsecsim.lab.lessons import files
from tests.notebooks.running import MOST_SECONDS, NOTEBOOKS, execute

pytestmark = pytest.mark.slow

every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
LONGEST_CELL = 8  # lines
LONGEST_SENTENCE = 30  # words


def answers(path):
    return import_module(f"tests.notebooks.solutions.lesson_{path.name[:2]}").ANSWERS


def test_there_are_notebooks():
    assert NOTEBOOKS


@every
def test_it_runs_top_to_bottom_with_nothing_filled_in_and_says_so_kindly(path):
    ran = execute(path)
    assert not ran.failed
    assert ran.seconds < MOST_SECONDS
    assert ran.outputs.count("✗ not yet   there is no answer yet") == len(answers(path))


@every
def test_its_exercises_are_solved_by_the_solutions(path):
    ran = execute(path, answers(path))
    assert not ran.failed
    assert ran.outputs.count("✓ right   ") == len(answers(path))


@every
def test_it_is_the_pair_of_its_source(path):
    source = jupytext.read(path.with_suffix(".py"))
    notebook = nbformat.read(path, as_version=4)
    assert [(c.cell_type, c.source, c.metadata.get("tags")) for c in notebook.cells] == [
        (c.cell_type, c.source, c.metadata.get("tags")) for c in source.cells
    ]


@every
def test_outputs_are_stripped_and_the_kernel_is_named_in_full(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec == {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }


@every
def test_cells_are_short_but_for_what_the_student_writes(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = [
                line for line in cell.source.splitlines() if line.strip() and not line.startswith("import ")
            ]
            assert len(lines) <= LONGEST_CELL, cell.source


@every
def test_sentences_are_short(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "teacher" not in cell.metadata.get("tags", []):
            prose = [line for line in cell.source.splitlines() if not line.startswith(("|", "<", "#"))]
            for sentence in re.split(r"(?<=[.?:;])\s|\n\n|\n\* |\n\d\. | - ", "\n".join(prose)):
                assert len(sentence.split()) <= LONGEST_SENTENCE, sentence


@every
def test_every_claim_has_a_source_and_is_used(path):
    claims = files.claims(int(path.name[:2]))
    text = path.read_text(encoding="utf-8") + json.dumps(claims.get("wrong answers", ""))
    for name, claim in claims.items():
        assert claim["source"]
        assert name in text or name == "wrong answers"
