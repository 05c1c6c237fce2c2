"""`ipsecsim run`: tell the story of a topology, end with the tables, write what was recorded."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.options import Changes, Do, Params, Seed, Source, Until, read_source, read_time, writing
from ipsecsim.cli.playing import lead
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.save import WIRESHARK, save, written_on_the_way
from ipsecsim.observe.sparing import Keep, NotRecorded
from ipsecsim.observe.written.key_log import PROFILE, left_out, write_profile
from ipsecsim.views import state_tables, tables, text
from ipsecsim.views.stepper import page
from ipsecsim.views.why import troubles

_EXAMPLES = """Examples:

  ipsecsim run site_to_site

  ipsecsim run site_to_site --seed 7 --out out

  ipsecsim run behind_nat --html behind_nat.html

  ipsecsim run voice_over_tunnel --record none --jsonl trace.jsonl --pcapng capture.pcapng

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
    jsonl: Annotated[
        Path | None, typer.Option(help="Write the trace into this file while the run goes on.")
    ] = None,
    pcapng: Annotated[
        Path | None, typer.Option(help="Write every frame into this file while the run goes on; no comments.")
    ] = None,
    record: Annotated[
        Keep, typer.Option(help="What is kept in memory: all, packets down to their headers, or none.")
    ] = Keep.ALL,
    do: Do = None,
    expect: Annotated[
        list[str] | None, typer.Option(help='A claim to check, such as "ping: received 3". Repeatable.')
    ] = None,
    param: Params = None,
    change: Changes = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No story, only the tables.")] = False,
) -> None:
    """Run a topology and tell its story: every message, every packet, every reason for a drop."""
    _needs_all(record, "--out", out)
    _needs_all(record, "--html", html)
    _needs_all(record, "--wireshark", wireshark)
    topology = read_source(source, param, change, do=do, expect=expect)
    stop = None if until is None else read_time(until)
    if out is not None:
        with writing("--out", out):  # before the run: it may take long
            out.mkdir(parents=True, exist_ok=True)
    for warning in topology.warnings:
        typer.echo(str(warning), err=True)
    written_to = " and ".join(str(path) for path in (jsonl, pcapng) if path is not None)
    with ExitStack() as files:
        with writing("--jsonl or --pcapng", written_to, "file"):
            observers = files.enter_context(written_on_the_way(jsonl, pcapng))
        experiment = Run(topology, seed=seed, record=record.value, observers=observers)
        typer.echo(text.opening(topology, experiment.seed) + "\n")
        try:
            lead(experiment, stop)
        except NotRecorded as missing:  # the script asks on the way
            raise ConfigError(f"The script needs more than is kept. {missing}") from None
    if record is Keep.ALL and not quiet:
        for block in text.story(experiment.recorder):
            typer.echo(block)
        typer.echo()
    _tell_the_end(experiment)
    if written_to:
        typer.echo(f"wrote {written_to}")
    if wireshark is not None:
        with writing("--wireshark", wireshark):
            typer.echo(f"wrote {write_profile(experiment.recorder.rows, wireshark)}")
        _say_left_out(wireshark)
    if out is not None:
        with writing("--out", out):
            written = [*save(experiment, out), page.write(experiment, out / page.FILE, last=_PAGE_TURNS)]
        typer.echo("\n".join(f"wrote {path}" for path in written))
        _say_left_out(out / WIRESHARK)
    if html is not None:
        with writing("--html", html, "file"):
            page.write(experiment, html)
        typer.echo(f"wrote {html}: open it in a browser")
    if record is Keep.ALL and any(not verdict.is_met for verdict in experiment.verdicts()):
        raise typer.Exit(1)


def _say_left_out(folder: Path) -> None:
    """What Wireshark will not open has a line each."""
    for each in left_out(folder / "profiles" / PROFILE):
        typer.echo(f"not for Wireshark: {each}")


def _tell_the_end(experiment: Run) -> None:
    """The tables; of a run that was not kept, those of what is known without it."""
    known = [
        tables.summary,
        state_tables.policies,
        state_tables.associations,
        state_tables.leases,
        tables.drops,
    ]
    if experiment.keep is Keep.ALL:
        known.insert(-1, tables.overheads)
        known += [troubles, tables.expectations]
    for part in known:
        typer.echo(part(experiment) + "\n")
    if experiment.keep is not Keep.ALL:
        typer.echo("Story, overhead, troubles and expectations need the recording: leave out --record.\n")


def _needs_all(record: Keep, option: str, path: Path | None) -> None:
    """Raises ConfigError for files that are written at the end out of what was kept."""
    if path is not None and record is not Keep.ALL:
        raise ConfigError(
            f"{option} needs the whole recording: leave out --record {record.value}, or write --jsonl and --pcapng"
        )
