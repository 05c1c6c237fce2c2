"""`ipsecsim figure`: run a topology and draw what it shows, with the same finding as text."""

from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.options import Changes, Do, Params, Seed, Source, Until, read_source, read_time
from ipsecsim.cli.progress import Bar
from ipsecsim.experiment.run import Run
from ipsecsim.scenario.problems import did_you_mean
from ipsecsim.views.figures import FIGURES, draw
from ipsecsim.views.figures.figure import check_name

_EXAMPLES = """Examples:

  ipsecsim figure behind_nat topology --out map.svg

  ipsecsim figure site_to_site ladder --out ladder.png

  ipsecsim figure replay_attack window --out window.pdf
"""
_KINDS = "; ".join(f"{kind}: {what}" for kind, (_, what) in FIGURES.items())


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("figure", epilog=_EXAMPLES)(figure)


def figure(
    source: Source,
    kind: Annotated[str, typer.Argument(help=f"What to draw. {_KINDS}.", metavar="KIND")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write it: a name that ends with png, svg or pdf. Left out: the text only."
        ),
    ] = None,
    seed: Seed = None,
    until: Until = None,
    do: Do = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Run a topology and draw a figure of it; its text says the same."""
    if kind not in FIGURES:
        raise ConfigError(f"'{kind}' is no kind of figure{did_you_mean(kind, FIGURES)}")
    if out is not None:
        check_name(out)  # before the run: it may take long
    run = Run(read_source(source, param, change, do=do), seed=seed)
    bar = Bar()
    try:
        run.run(None if until is None else read_time(until), progress=bar)
    finally:
        bar.close()
    drawn = draw(run, kind)
    typer.echo(drawn.text)
    if out is not None:
        try:
            typer.echo(f"wrote {drawn.save(out)}")
        except OSError as refused:
            raise ConfigError(f"--out {out}: {refused.strerror}; name a file that can be written") from None
