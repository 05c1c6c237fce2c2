"""`ipsecsim why`: run a topology and ask it why something went wrong, or a whole folder of them."""

from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.options import Changes, Params, pairs, read_source
from ipsecsim.cli.progress import Bar
from ipsecsim.experiment.run import Run
from ipsecsim.scenario import groups, read
from ipsecsim.study.gallery import Row, gallery
from ipsecsim.study.proof import prove as run_again
from ipsecsim.study.why import why as ask
from ipsecsim.views import why as view

_EXAMPLES = """Examples:

  ipsecsim why psk_mismatch

  ipsecsim why ts_narrowed "ping alice carol"

  ipsecsim why esp_blocked --packet 6 --prove

  ipsecsim why --all failures
"""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("why", epilog=_EXAMPLES)(why)


def why(
    source: Annotated[
        str | None, typer.Argument(help="A name from `ipsecsim list`, or a file.", metavar="NAME|FILE")
    ] = None,
    about: Annotated[
        str | None,
        typer.Argument(
            help='What to ask about: "tunnel net", "ping alice bob", a name=, "node west". '
            "Left out: the run's main trouble.",
        ),
    ] = None,
    packet: Annotated[int | None, typer.Option(help="Ask about the packet of this number.")] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--all",
            help="Ask every topology of a folder, or of a group of `ipsecsim list`, for its main trouble.",
            metavar="FOLDER",
        ),
    ] = None,
    prove: Annotated[
        bool, typer.Option("--prove", help="Run again with the one setting that should help, and compare.")
    ] = False,
    seed: Annotated[str | None, typer.Option(help="Another seed: other keys, nonces and SPIs.")] = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Run a topology and say why it went wrong: the cause, the chain of events, who knows, and what would help."""
    if folder is not None:
        if source is not None or packet is not None:
            raise ConfigError("--all asks a whole folder; leave out the name and what to ask about")
        typer.echo(view.gallery(_all(folder, prove=prove), with_proof=prove))
        return
    if source is None:
        raise ConfigError("say which topology to ask, such as  ipsecsim why psk_mismatch")
    if about is not None and packet is not None:
        raise ConfigError(f"ask about '{about}' or about packet {packet}, one at a time")
    run = Run(read_source(source, param, change), seed=seed)
    bar = Bar()
    try:
        run.run(progress=bar)
    finally:
        bar.close()
    answer = ask(run, about if packet is None else packet)
    typer.echo(view.whole(answer))
    if prove and answer.reason:
        params, settings = dict(pairs("--param", param)), pairs("--set", change)
        proof = run_again(run, answer, lambda more: read(source, params=params, settings=[*settings, *more]))
        typer.echo(view.proof(proof))


def _all(folder: Path, *, prove: bool) -> list[Row]:
    """A row for each file of a folder, saying on standard error how far it is. Raises ConfigError."""
    files: list[str | Path] = [*sorted(folder.rglob("*.yaml"))] or [*groups().get(str(folder), ())]
    if not files:
        raise ConfigError(f"--all {folder}: there are no topologies in it; try  --all failures")
    bar = Bar()
    rows: list[Row] = []
    try:
        for row in gallery(files, with_proof=prove):
            rows.append(row)
            bar.show(f"{len(rows)} of {len(files)} asked, the last {row.name}")
    finally:
        bar.close()
    return rows
