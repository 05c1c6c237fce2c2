"""A notebook run from a fresh kernel, perhaps with other source in some cells, and the cell at which it failed."""

import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
MOST_SECONDS = 60


@dataclass
class Ran:
    """`failed` is the source of the cell that raised, '' when none did; `outputs` is all text that came out."""

    seconds: float
    cells: int
    failed: str
    outputs: str


def execute(path, answers=None, prelude=""):
    """Run it in a folder of no importance. `answers` has the source of tagged cells; `prelude` goes before all."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for tag in cell.metadata.get("tags", []):
            cell.source = (answers or {}).get(tag, cell.source)
    if prelude:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(prelude))
    os.environ["PYTHONPATH"] = str(ROOT)  # the kernel's; elsewhere the package is installed
    client = NotebookClient(notebook, timeout=MOST_SECONDS, kernel_name="python3")
    began, failed = monotonic(), ""
    try:
        client.execute()
    except CellExecutionError:
        failed = next(cell.source for cell in notebook.cells if cell.cell_type == "code" and _raised(cell))
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return Ran(monotonic() - began, len(code), failed, "\n".join(_texts(code)))


def _raised(cell):
    return any(output.output_type == "error" for output in cell.outputs)


def _texts(cells):
    for cell in cells:
        for output in cell.outputs:
            yield output.get("text") or output.get("data", {}).get("text/plain", "")
