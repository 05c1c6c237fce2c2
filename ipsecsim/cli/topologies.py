"""`ipsecsim list`, `show` and `schema`: what there is to run, and how a file is written."""

import json
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario import find, groups, json_schema, read
from ipsecsim.views.tables import table

_TITLES = {
    "": "Topologies (run one with: ipsecsim run NAME)",
    "failures": "Failures (ask what is wrong with: ipsecsim why NAME)",
    "lessons": "Worlds of the lessons (copy those with: ipsecsim lessons copy)",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("list", epilog="Example:\n\n  ipsecsim list")(list_topologies)
    app.command("show", epilog="Example:\n\n  ipsecsim show site_to_site > my.yaml")(show)
    app.command("schema", epilog="Example:\n\n  ipsecsim schema > topology.schema.json")(schema)


def list_topologies() -> None:
    """List the topologies that come with ipsecsim."""
    for folder, names in groups().items():
        rows = []
        for name in names:
            topology = read(name)
            rows.append((name, len(topology.nodes), len(topology.tunnels), _first_sentence(topology.story)))
        title = _TITLES.get(folder, f"More in {folder}")
        typer.echo(table(title, ("name", "nodes", "tunnels", "story"), rows) + "\n")


def show(name: Annotated[str, typer.Argument(help="A name from `ipsecsim list`.")]) -> None:
    """Print the file of a topology, to read or to begin one's own with."""
    path = find(name)
    if path is None:
        raise ConfigError(f"there is no topology '{name}' in the library; `ipsecsim list` names them all")
    typer.echo(path.read_text(encoding="utf-8"), nl=False)


def schema() -> None:
    """Print the JSON Schema of topology files, for editors."""
    typer.echo(json.dumps(json_schema(), indent=2))


def _first_sentence(story: str) -> str:
    return story.partition(". ")[0].strip().rstrip(".")
