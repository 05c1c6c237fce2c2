"""`ipsecsim lessons`: the notebooks that come with the package, listed or copied to where one can work in them."""

from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.lab.lessons import files
from ipsecsim.views.tables import table

_EXAMPLES = """Examples:

  ipsecsim lessons list

  ipsecsim lessons copy my_lessons
"""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    lessons = typer.Typer(help="Notebooks to learn from: list them, copy them.", no_args_is_help=True)
    lessons.command("list", epilog=_EXAMPLES)(list_lessons)
    lessons.command("copy", epilog=_EXAMPLES)(copy)
    app.add_typer(lessons, name="lessons")


def list_lessons() -> None:
    """List the lessons."""
    rows = [(each.name, files.title(each)) for each in files.notebooks()]
    typer.echo(table("Lessons (copy them with: ipsecsim lessons copy)", ("notebook", "title"), rows))


def copy(
    folder: Annotated[Path, typer.Argument(help="Where to; it is made where there is none.")] = Path(
        "lessons"
    ),
) -> None:
    """Copy the lessons into a folder. What is there already stays as it is."""
    written = files.copy(folder)
    for path in written:
        typer.echo(f"wrote {path}")
    if not written:
        typer.echo(f"all lessons are in {folder} already")
