"""`ipsecsim list`, `show`, `check` and `schema`: what there is to run, and whether a file is right."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.options import Changes, Params, Source, read_source
from ipsecsim.experiment.matrix import run_matrix
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import Topology, expanded_yaml, find, json_schema, names, read
from ipsecsim.views.tables import table
from ipsecsim.views.text import size


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("list", epilog="Example:\n\n  ipsecsim list")(list_topologies)
    app.command("show", epilog="Example:\n\n  ipsecsim show site_to_site > my.yaml")(show)
    app.command(
        "check",
        epilog="Examples:\n\n  ipsecsim check my.yaml\n\n  ipsecsim check site_to_site --expand\n\n"
        "  ipsecsim check --run topologies",
    )(check)
    app.command("schema", epilog="Example:\n\n  ipsecsim schema > topology.schema.json")(schema)


def list_topologies() -> None:
    """List the topologies that come with ipsecsim."""
    rows = []
    for name in names():
        topology = read(name)
        rows.append((name, len(topology.nodes), len(topology.tunnels), _first_sentence(topology.story)))
    typer.echo(
        table("Topologies (run one with: ipsecsim run NAME)", ("name", "nodes", "tunnels", "story"), rows)
    )


def show(name: Annotated[str, typer.Argument(help="A name from `ipsecsim list`.")]) -> None:
    """Print the file of a topology, to read or to begin one's own with."""
    path = find(name)
    if path is None:
        raise ConfigError(f"there is no topology '{name}' in the library; `ipsecsim list` names them all")
    typer.echo(path.read_text(encoding="utf-8"), nl=False)


def check(
    sources: Annotated[
        list[str], typer.Argument(help="Names, files, or folders of files.", metavar="NAME|FILE|FOLDER...")
    ],
    expand: Annotated[
        bool, typer.Option("--expand", help="Print the file with all that was left out filled in.")
    ] = False,
    run: Annotated[bool, typer.Option("--run", help="Run it too, and hold it to its expectations.")] = False,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Check topology files; a mistake is shown with its place and its remedy."""
    files = [path for source in sources for path in _files(source)]
    if expand:
        for source in files:
            typer.echo(expanded_yaml(read_source(source, param, change)), nl=False)
        return
    rows, mistakes = [], []
    for source in files:
        try:
            topology = read_source(source, param, change)
        except ConfigError as mistake:
            mistakes.append(str(mistake))
            rows.append((source, "wrong", ""))
            continue
        for warning in topology.warnings:
            typer.echo(str(warning), err=True)
        rows.append((source, *(_outcome(source, topology) if run else ("ok", _size(topology)))))
    typer.echo(table("Checked", ("file", "result", "what"), rows))
    for sentence in mistakes:
        typer.echo(sentence, err=True)
    if mistakes:
        raise typer.Exit(2)
    if any(row[1] == "NOT MET" for row in rows):
        raise typer.Exit(1)


def schema() -> None:
    """Print the JSON Schema of topology files, for editors."""
    typer.echo(json.dumps(json_schema(), indent=2))


def _files(source: Source) -> list[str]:
    folder = Path(source)
    return sorted(str(path) for path in folder.glob("*.yaml")) if folder.is_dir() else [source]


def _size(topology: Topology) -> str:
    return ", ".join(size(topology))


def _outcome(source: str, topology: Topology) -> tuple[str, str]:
    """Run it, every cell of it, and say what came of its expectations."""
    runs = [each.run for each in run_matrix(source)] if topology.matrix else [Run(topology).run()]
    verdicts = [verdict for run in runs for verdict in run.verdicts()]
    failed = [str(verdict) for verdict in verdicts if not verdict.is_met]
    if failed:
        return "NOT MET", "; ".join(failed)
    return "met", f"{len(verdicts)} expectations"


def _first_sentence(story: str) -> str:
    return story.partition(". ")[0].strip().rstrip(".")
