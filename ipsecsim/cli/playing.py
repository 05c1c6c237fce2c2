"""A run as most commands want it: read, warned of, led to its end with a bar."""

from collections.abc import Sequence

import typer

from ipsecsim.base.instant import Duration
from ipsecsim.cli.options import read_source, read_time
from ipsecsim.cli.progress import Bar
from ipsecsim.experiment.run import Run


def played(
    source: str,
    params: Sequence[str] | None,
    changes: Sequence[str] | None,
    *,
    seed: str | None,
    until: str | None,
    do: Sequence[str] | None,
) -> Run:
    """The run that the command line asks for, at its end. Raises ConfigError."""
    topology = read_source(source, params, changes, do=do)
    stop = None if until is None else read_time(until)
    for warning in topology.warnings:
        typer.echo(str(warning), err=True)
    run = Run(topology, seed=seed)
    lead(run, stop)
    return run


def lead(run: Run, until: Duration | None) -> None:
    """Run to the end. Ctrl-C stops between turns, and what happened so far is told."""
    bar = Bar()
    try:
        run.run(until, progress=bar)
    except KeyboardInterrupt:
        typer.echo(f"interrupted after {run.turns} turns; what follows is the story so far", err=True)
    finally:
        bar.close()
