"""The commands, gathered, and the one place where errors become exit codes."""

import sys

import typer
from rich.console import Console

from ipsecsim import __version__
from ipsecsim.base.errors import ConfigError
from ipsecsim.cli import check, figure, lessons, matrix, packets, run, step, topologies, truth_table, why

NOT_MET = 1  # an expectation was not met
BAD_FILE = 2  # what a person wrote cannot be understood

app = typer.Typer(
    name="ipsecsim",
    help="IPsec in a simulated network: real IKE and ESP bytes, seen step by step.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
topologies.register(app)
check.register(app)
run.register(app)
step.register(app)
packets.register(app)
matrix.register(app)
truth_table.register(app)
why.register(app)
lessons.register(app)
figure.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ipsecsim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Say which version."
    ),
) -> None:
    """IPsec in a simulated network: real IKE and ESP bytes, seen step by step."""


def main() -> None:
    """The entry point. A mistake in a file ends with code 2 and no traceback; a bug of ours keeps its own."""
    try:
        app()
    except ConfigError as mistake:
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(mistake), markup=False)
        sys.exit(BAD_FILE)
    except BrokenPipeError:
        # `ipsecsim run ... | head` is no error; nothing more can be written, not even at exit
        sys.stderr.close()
        sys.exit(0)
