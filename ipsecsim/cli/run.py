"""`ipsecsim run`: tell the story of a topology, end with the tables, write what was recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.options import Changes, Do, Params, Seed, Source, Until, read_source, read_time
from ipsecsim.cli.playing import lead
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.save import WIRESHARK, save
from ipsecsim.observe.key_log import PROFILE, left_out, write_profile
from ipsecsim.views import tables, text
from ipsecsim.views.stepper import page
from ipsecsim.views.why import troubles

_EXAMPLES = """Examples:

  ipsecsim run site_to_site

  ipsecsim run site_to_site --seed 7 --out out

  ipsecsim run behind_nat --html behind_nat.html

  ipsecsim run my.yaml --until 10s --set links.wan.delay=50ms --quiet
"""


_PAGE_TURNS = 2000
"""As much of a run as the page beside its other files shows; --html shows all."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("run", epilog=_EXAMPLES)(run)


def run(
    source: Source,
    seed: Seed = None,
    until: Until = None,
    wireshark: Annotated[
        Path | None, typer.Option(help="Write only a Wireshark profile with the keys into this folder.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write trace.jsonl, audit.jsonl, capture.pcapng, wireshark/ and run.html into this folder."
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the run as one page for a browser, to walk it turn by turn; works offline."),
    ] = None,
    do: Do = None,
    expect: Annotated[
        list[str] | None, typer.Option(help='A claim to check, such as "ping: received 3". Repeatable.')
    ] = None,
    param: Params = None,
    change: Changes = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No story, only the tables.")] = False,
) -> None:
    """Run a topology and tell its story: every message, every packet, every reason for a drop."""
    topology = read_source(source, param, change, do=do, expect=expect)
    stop = None if until is None else read_time(until)
    if out is not None:
        with _writing("--out", out):  # before the run: it may take long
            out.mkdir(parents=True, exist_ok=True)
    for warning in topology.warnings:
        typer.echo(str(warning), err=True)
    experiment = Run(topology, seed=seed)
    typer.echo(text.opening(topology, experiment.seed) + "\n")
    lead(experiment, stop)
    if not quiet:
        for block in text.story(experiment.recorder):
            typer.echo(block)
        typer.echo()
    for part in (
        tables.summary,
        tables.policies,
        tables.associations,
        tables.leases,
        tables.overheads,
        tables.drops,
        troubles,
        tables.expectations,
    ):
        typer.echo(part(experiment) + "\n")
    if wireshark is not None:
        with _writing("--wireshark", wireshark):
            typer.echo(f"wrote {write_profile(experiment.recorder.rows, wireshark)}")
        _say_left_out(wireshark)
    if out is not None:
        with _writing("--out", out):
            written = [*save(experiment, out), page.write(experiment, out / page.FILE, last=_PAGE_TURNS)]
        typer.echo("\n".join(f"wrote {path}" for path in written))
        _say_left_out(out / WIRESHARK)
    if html is not None:
        with _writing("--html", html, "file"):
            page.write(experiment, html)
        typer.echo(f"wrote {html}: open it in a browser")
    if any(not verdict.is_met for verdict in experiment.verdicts()):
        raise typer.Exit(1)


def _say_left_out(folder: Path) -> None:
    """What Wireshark will not open has a line each."""
    for each in left_out(folder / "profiles" / PROFILE):
        typer.echo(f"not for Wireshark: {each}")


@contextmanager
def _writing(option: str, path: Path, kind: str = "folder") -> Iterator[None]:
    """What the disk refuses is no bug of ours: raises ConfigError."""
    try:
        yield
    except OSError as refused:
        raise ConfigError(f"{option} {path}: {refused.strerror}; name a {kind} that can be written") from None
