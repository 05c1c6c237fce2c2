"""`ipsecsim why`: run a topology and ask it why something went wrong."""

from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.options import Changes, Params, Source, read_source
from ipsecsim.cli.progress import Bar
from ipsecsim.experiment.run import Run
from ipsecsim.study.why import why as ask
from ipsecsim.views import why as view

_EXAMPLES = """Examples:

  ipsecsim why psk_mismatch

  ipsecsim why ts_narrowed "ping alice carol"

  ipsecsim why pmtu_blackhole "tunnel net"

  ipsecsim why esp_blocked --packet 6
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("why", epilog=_EXAMPLES)(why)


def why(
    source: Source,
    about: Annotated[
        str | None,
        typer.Argument(
            help='What to ask about: "tunnel net", "ping alice bob", a name=, "node west". '
            "Left out: the run's main trouble.",
        ),
    ] = None,
    packet: Annotated[int | None, typer.Option(help="Ask about the packet of this number.")] = None,
    seed: Annotated[str | None, typer.Option(help="Another seed: other keys, nonces and SPIs.")] = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Run a topology and say why it went wrong: the cause, the chain of events, who knows, and what would help."""
    if about is not None and packet is not None:
        raise ConfigError(f"ask about '{about}' or about packet {packet}, one at a time")
    run = Run(read_source(source, param, change), seed=seed)
    bar = Bar()
    try:
        run.run(progress=bar)
    finally:
        bar.close()
    typer.echo(view.whole(ask(run, about if packet is None else packet)))
