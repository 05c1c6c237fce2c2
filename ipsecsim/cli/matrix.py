"""`ipsecsim matrix`: every cell of a topology's matrix, as a truth table."""

from collections.abc import Sequence
from typing import Annotated

import typer

from ipsecsim.cli.options import Changes, Params, Source, pairs
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.matrix import Outcome, run_matrix
from ipsecsim.experiment.run import Run
from ipsecsim.net.apps import APPS
from ipsecsim.views.tables import table

_EXAMPLES = """Example:

  ipsecsim matrix my.yaml --seed 7
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("matrix", epilog=_EXAMPLES)(matrix)


def matrix(
    source: Source,
    seed: Annotated[str | None, typer.Option(help="Another seed for every cell.")] = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Run every cell of a topology's matrix and hold each to the claims that speak of it."""
    outcomes = list(
        run_matrix(source, params=dict(pairs("--param", param)), settings=pairs("--set", change), seed=seed)
    )
    traffic = list(dict.fromkeys(name for outcome in outcomes for name in _answered(outcome.run)))
    heads = (*outcomes[0].cell, "tunnels up", *(f"{name} received" for name in traffic), "claims", "result")
    typer.echo(table(f"Matrix: {len(outcomes)} cells", heads, [_row(each, traffic) for each in outcomes]))
    say_what_failed(outcomes)


def say_what_failed(outcomes: Sequence[Outcome]) -> None:
    """The claims that were not met, cell by cell; exit code 1 when there are any."""
    failed = [each for each in outcomes if not each.is_met]
    for outcome in failed:
        cell = " ".join(f"{axis}={value}" for axis, value in outcome.cell.items())
        typer.echo(f"\n{cell}")
        typer.echo("\n".join(f"  {verdict}" for verdict in outcome.run.verdicts() if not verdict.is_met))
    if failed:
        raise typer.Exit(1)


def _row(outcome: Outcome, traffic: list[str]) -> tuple[object, ...]:
    run = outcome.run
    return (
        *outcome.cell.values(),
        _tunnels_up(run),
        *(_received(run, name) for name in traffic),
        len(run.verdicts()),
        "met" if outcome.is_met else "NOT MET",
    )


def _answered(run: Run) -> list[str]:
    """The traffic of which it is known how much got there."""
    return [name for name, (verb, _, _) in run.world.traffic.items() if "received" in APPS[verb].measures]


def _tunnels_up(run: Run) -> str:
    up = sum(is_up(run.world, name) for name in run.topology.tunnels)
    return f"{up} of {len(run.topology.tunnels)}"


def _received(run: Run, name: str) -> str:
    result = run.world.results.get(name)
    return "" if result is None else f"{result.received} of {result.sent}"
