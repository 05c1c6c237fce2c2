"""`ipsecsim check`: is a file right, and with `--run`: does it do all that a topology promises?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.options import Changes, Params, pairs, read_source
from ipsecsim.cli.progress import Bar
from ipsecsim.experiment.matrix import check_axes
from ipsecsim.experiment.trial import Case, Trial, cases, examine_all
from ipsecsim.scenario import Topology, expanded_yaml
from ipsecsim.views.tables import table
from ipsecsim.views.text import size, whole

FAULTY = 1  # a topology runs, and not as it promises
WRONG = 2  # a file cannot be understood

_EXAMPLES = """Examples:

  ipsecsim check my.yaml

  ipsecsim check site_to_site --expand

  ipsecsim check --run topologies
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("check", epilog=_EXAMPLES)(check)


def check(
    sources: Annotated[
        list[str], typer.Argument(help="Names, files, or folders of files.", metavar="NAME|FILE|FOLDER...")
    ],
    expand: Annotated[
        bool, typer.Option("--expand", help="Print the file with all that was left out filled in.")
    ] = False,
    run: Annotated[
        bool,
        typer.Option(
            "--run",
            help="Run it too, every cell of its matrix twice: it must repeat byte for byte, "
            "keep the invariants, meet its expectations, and tell its golden story.",
        ),
    ] = False,
    golden: Annotated[
        Path | None,
        typer.Option(help="The folder of golden stories, NAME.txt. Left out: golden/ beside the file."),
    ] = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Check topology files; a mistake is shown with its place and its remedy."""
    files = [path for source in sources for path in _files(source)]
    if expand:
        for source in files:
            typer.echo(expanded_yaml(read_source(source, param, change)), nl=False)
        return
    understood = {source: _understood(source, param, change) for source in files}
    if run:
        todo = [
            case for source in files if understood[source] for case in _cases(source, golden, param, change)
        ]
        is_well = _report(files, _examine(todo))
    else:
        rows = [(source, *_size(topology)) for source, topology in understood.items()]
        typer.echo(table("Checked", ("file", "result", "what"), rows))
        is_well = True
    if not all(understood.values()):
        raise typer.Exit(WRONG)
    if not is_well:
        raise typer.Exit(FAULTY)


def _files(source: str) -> list[str]:
    folder = Path(source)
    return sorted(str(path) for path in folder.rglob("*.yaml")) if folder.is_dir() else [source]


def _understood(source: str, param: Sequence[str] | None, change: Sequence[str] | None) -> Topology | None:
    """The topology, its warnings told; None after telling what is wrong with it."""
    try:
        topology = read_source(source, param, change)
        check_axes(source, topology, params=dict(pairs("--param", param)), settings=pairs("--set", change))
    except ConfigError as mistake:
        typer.echo(str(mistake), err=True)
        return None
    for warning in topology.warnings:
        typer.echo(str(warning), err=True)
    return topology


def _size(topology: Topology | None) -> tuple[str, str]:
    return ("wrong", "") if topology is None else ("ok", ", ".join(size(topology)))


def _cases(
    source: str, golden: Path | None, param: Sequence[str] | None, change: Sequence[str] | None
) -> list[Case]:
    folder = Path(source).parent / "golden" if golden is None else golden
    return cases(source, params=dict(pairs("--param", param)), settings=pairs("--set", change), golden=folder)


def _examine(todo: Sequence[Case]) -> list[Trial]:
    """Examine all of them, saying on standard error how far it is."""
    bar = Bar()
    done: list[Trial] = []
    try:
        for trial in examine_all(todo, whole) if todo else ():
            done.append(trial)
            bar.show(f"{len(done)} of {len(todo)} done, the last {trial.case}")
    finally:
        bar.close()
    return done


def _report(files: Sequence[str], trials: Sequence[Trial]) -> bool:
    """A row for every topology and cell, then what is wrong with which; is all well?"""
    by_file = {source: [each for each in trials if each.case.source == source] for source in files}
    rows = [
        row
        for source, of_file in by_file.items()
        for row in (map(_row, of_file) if of_file else [(source, "", "wrong", "", "", "")])
    ]
    typer.echo(table("Checked", ("file", "cell", "result", "turns", "claims", "story"), rows))
    faulty = [each for each in trials if each.faults]
    for each in faulty:
        typer.echo("\n".join([f"\n{each.case}", *(f"  {fault}" for fault in each.faults)]))
    unread = sum(not of_file for of_file in by_file.values())
    refused = f"; {unread} of {len(files)} files can't be run" if unread else ""
    typer.echo(f"\n{len(trials) - len(faulty)} of {len(trials)} runs are as they should be{refused}")
    return not faulty


def _row(trial: Trial) -> Sequence[object]:
    cell = " ".join(f"{axis}={value}" for axis, value in trial.case.cell.items())
    result = "FAULTY" if trial.faults else "met"
    story = "" if trial.case.golden is None else "golden"
    return trial.case.source, cell, result, str(trial.turns), str(trial.claims), story
