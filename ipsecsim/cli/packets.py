"""`ipsecsim packets`: the packets of a run, a line each; and `ipsecsim packet`: one of them."""

from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.cli.options import Changes, Do, Params, Seed, Source, Until, writing
from ipsecsim.cli.playing import played
from ipsecsim.experiment.packets import Packets
from ipsecsim.experiment.run import Run
from ipsecsim.observe.packets.host_capture import Sight, sights
from ipsecsim.observe.packets.joined import joined
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.packets.xray import xray
from ipsecsim.observe.written.pcapng import write_seen
from ipsecsim.scenario.problems import did_you_mean
from ipsecsim.views import packets_json, packets_text, xray_text

_MANY = """Examples:

  ipsecsim packets site_to_site

  ipsecsim packets behind_nat --where "layer=esp link=uplink"

  ipsecsim packets lossy_link --where "reason=LINK_LOSS|ICV_FAIL" --limit 10

  ipsecsim packets site_to_site --where "flow=ping node=alice" --jsonl

  ipsecsim packets capture_on_gateway --on east --pcapng east.pcapng
"""
_ONE = """Examples:

  ipsecsim packet behind_nat 6

  ipsecsim packet behind_nat 6 --hop 2 --as bob

  ipsecsim packet behind_nat 6 --diff

  ipsecsim packet behind_nat 1 --follow

  ipsecsim packet site_to_site 4 --explain

  ipsecsim packet ah_tunnel 4 --hex
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
    on: Annotated[
        str | None,
        typer.Option(
            metavar="NODE",
            help="As a capture on this node shows them: what it took out of a tunnel once more, opened.",
        ),
    ] = None,
    pcapng: Annotated[
        Path | None, typer.Option(help="With --on: write the capture into this file instead.")
    ] = None,
    seed: Seed = None,
    until: Until = None,
    do: Do = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Run a topology and list its packets: who made it for whom, how long it is, what became of it."""
    if pcapng is not None and on is None:
        raise ConfigError(
            "--pcapng: say on which node, with --on; what links carry writes `ipsecsim run --pcapng`"
        )
    run = played(source, param, change, seed=seed, until=until, do=do)
    chosen = Packets(run).where(where)
    if on is not None:
        numbers = {each.number for each in chosen}
        seen = [each for each in sights(run.lives, _node(run, "--on", on)) if each.number in numbers]
        _show(seen, on, limit, pcapng, jsonl=jsonl)
        return
    if not jsonl:
        _ = where and chosen.first  # who finds nothing hears what there is
        typer.echo("\n".join(packets_text.listing(chosen, limit)))
        return
    for each in chosen[:limit]:
        typer.echo(packets_json.to_json(each))


def _show(seen: list[Sight], node: str, limit: int | None, pcapng: Path | None, *, jsonl: bool) -> None:
    if pcapng is not None:
        with writing("--pcapng", pcapng, "file"), pcapng.open("wb") as file:
            write_seen(seen[:limit], node, file)
        typer.echo(f"wrote {pcapng}")
    elif jsonl:
        for each in seen[:limit]:
            typer.echo(packets_json.seen_to_json(each))
    else:
        typer.echo("\n".join(packets_text.captured(seen, limit)))


def packet(
    source: Source,
    number: Annotated[int, typer.Argument(help="Its number, as `ipsecsim packets` shows it.")],
    hop: Annotated[int | None, typer.Option(help="As it was on this hop; as it was made without.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Its journey: every link and node, whatever carried it.")
    ] = False,
    diff: Annotated[
        bool,
        typer.Option("--diff", help="What changed from hop to hop, and who did it; with --hop, there only."),
    ] = False,
    reader: Annotated[
        str | None, typer.Option("--as", help="Look with the keys of this node only.", metavar="NODE")
    ] = None,
    octets: Annotated[
        bool,
        typer.Option("--hex", help="Its bytes, each marked by how it is protected, instead of its fields."),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="What each field is for, and which section defines it.")
    ] = False,
    seed: Seed = None,
    until: Until = None,
    do: Do = None,
    param: Params = None,
    change: Changes = None,
) -> None:
    """Run a topology and look through one packet: where it was, and every field with what is inside its seals."""
    run = played(source, param, change, seed=seed, until=until, do=do)
    chosen = Packets(run).number(number)
    if follow:
        typer.echo(packets_text.journey(chosen))
    elif diff:
        typer.echo("\n".join(packets_text.changes(chosen, hop)))
    else:
        seen = xray(chosen.data if hop is None else chosen.bytes_on(hop), _keys(run, reader))
        below = xray_text.octets(seen) if octets else xray_text.fields(seen, explain=explain)
        typer.echo("\n".join([packets_text.whole(chosen), "", *xray_text.layers(seen), "", *below]))
        whole = joined(chosen.data, (each.data for each in Packets(run)), _keys(run, reader))
        if whole is not None:
            told = xray_text.octets(whole) if octets else xray_text.fields(whole, explain=explain)
            typer.echo("\n".join(["", "the whole message, with all its pieces joined", "", *told]))


def _keys(run: Run, reader: str | None) -> Keys:
    keys = run.keys
    if reader is None:
        return keys
    return keys.of_node(_node(run, "--as", reader))


def _node(run: Run, option: str, name: str) -> str:
    """The name, if it is that of a node. Raises ConfigError."""
    if name not in run.topology.nodes:
        raise ConfigError(f"{option} {name}: no node '{name}'{did_you_mean(name, run.topology.nodes)}")
    return name
