"""`ipsecsim step`: walk through a run turn by turn, forwards and back, in a terminal or fed by a pipe."""

import sys

import typer

from ipsecsim.cli.options import Changes, Do, Params, Seed, Source, Until, read_source, read_time
from ipsecsim.experiment.run import Run
from ipsecsim.views.walk import Walk

_EXAMPLES = """Examples:

  ipsecsim step behind_nat

  ipsecsim step ah_meets_nat --param nat=hotel

  printf 'd\\nw\\nq\\n' | ipsecsim step psk_mismatch

While walking: n steps, b goes back, g 12 goes to turn 12, /layer=esp link=wan to the next such packet, d i e N s
to the next drop, IKE message, ESP packet, NAT or change of state, p looks through the packets, w asks why, s west
shows what west knows, c what changed, ? tells all commands, q ends.
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("step", epilog=_EXAMPLES)(step)


def step(
    source: Source,
    seed: Seed = None,
    until: Until = None,
    do: Do = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Walk through a run: each turn in a sentence, with every check on the packet's way and what it saw."""
    topology = read_source(source, param, change, do=do)
    for warning in topology.warnings:
        typer.echo(str(warning), err=True)
    walk = Walk(Run(topology, seed=seed), until=None if until is None else read_time(until))
    typer.echo(walk.greeting())
    while True:
        line = _typed()
        page = None if line is None else walk.answer(line)
        if page is None:
            return
        typer.echo(f"{page}\n")


def _typed() -> str | None:
    """The next line; None at the end of input, or when Ctrl-C ends the walk. Asked for on a terminal only."""
    try:
        return input("> ") if sys.stdin.isatty() else input()
    except (EOFError, KeyboardInterrupt):
        return None
