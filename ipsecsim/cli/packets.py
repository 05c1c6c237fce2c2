"""`ipsecsim packets`: the packets of a run, a line each; and `ipsecsim packet`: one of them."""

from typing import Annotated

import typer

from ipsecsim.cli.options import Changes, Do, Params, Seed, Source, Until
from ipsecsim.cli.playing import played
from ipsecsim.experiment.packets import Packets
from ipsecsim.views import packets_json, packets_text

_MANY = """Examples:

  ipsecsim packets site_to_site

  ipsecsim packets behind_nat --where "layer=esp link=uplink"

  ipsecsim packets lossy_link --where "reason=LINK_LOSS|ICV_FAIL" --limit 10

  ipsecsim packets site_to_site --where "flow=ping node=alice" --jsonl
"""
_ONE = """Examples:

  ipsecsim packet behind_nat 6

  ipsecsim packet behind_nat 1 --follow
"""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("packets", epilog=_MANY)(packets)
    app.command("packet", epilog=_ONE)(packet)


def packets(
    source: Source,
    where: Annotated[
        str, typer.Option(help='Which ones, such as "layer=esp link=wan", "reason=REPLAY_SEEN", "size>1400".')
    ] = "",
    limit: Annotated[int | None, typer.Option(min=0, help="Show no more than so many.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="A JSON object a line, with every hop.")] = False,
    seed: Seed = None,
    until: Until = None,
    do: Do = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Run a topology and list its packets: who made it for whom, how long it is, what became of it."""
    chosen = Packets(played(source, param, change, seed=seed, until=until, do=do)).where(where)
    if not jsonl:
        _ = where and chosen.first  # who finds nothing hears what there is
        typer.echo("\n".join(packets_text.listing(chosen, limit)))
        return
    for each in chosen[:limit]:
        typer.echo(packets_json.to_json(each))


def packet(
    source: Source,
    number: Annotated[int, typer.Argument(help="Its number, as `ipsecsim packets` shows it.")],
    follow: Annotated[
        bool, typer.Option("--follow", help="Its journey: every link and node, whatever carried it.")
    ] = False,
    seed: Seed = None,
    until: Until = None,
    do: Do = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Run a topology and look at one packet."""
    chosen = Packets(played(source, param, change, seed=seed, until=until, do=do)).number(number)
    typer.echo(packets_text.journey(chosen) if follow else packets_text.whole(chosen))
