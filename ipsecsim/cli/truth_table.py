"""`ipsecsim truth-table`: what gets through a firewall or a NAT, cell by cell."""

from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.matrix import say_what_failed
from ipsecsim.experiment.matrix import run_matrix
from ipsecsim.experiment.truth_table import TRUTH_TABLES
from ipsecsim.scenario.problems import did_you_mean
from ipsecsim.views.tables import table

_EXAMPLES = """Example:

  ipsecsim truth-table firewall
  ipsecsim truth-table nat
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("truth-table", epilog=_EXAMPLES)(truth_table)


def truth_table(
    name: Annotated[str, typer.Argument(help=" or ".join(TRUTH_TABLES), metavar="NAME")],
    seed: Annotated[str | None, typer.Option(help="Another seed for every cell.")] = None,
) -> None:
    """Run every cell of a truth table, and say for each what came of it and why."""
    wanted = TRUTH_TABLES.get(name)
    if wanted is None:
        raise ConfigError(f"there is no truth table '{name}'{did_you_mean(name, TRUTH_TABLES)}")
    outcomes = list(run_matrix(wanted.topology, seed=seed, prepare=wanted.prepare))
    heads = (*outcomes[0].cell, *(column.head for column in wanted.columns))
    rows = [(*each.cell.values(), *(column.answer(each) for column in wanted.columns)) for each in outcomes]
    typer.echo(table(f"Truth table {name}: {len(rows)} cells of {wanted.topology}", heads, rows))
    say_what_failed(outcomes)
