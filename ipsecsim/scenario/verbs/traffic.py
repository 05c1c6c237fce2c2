"""The verbs that make traffic: FROM TO and options."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ipsecsim.base.errors import Place
from ipsecsim.base.instant import Instant
from ipsecsim.net.apps.ping import Ping
from ipsecsim.net.apps.send import Send
from ipsecsim.scenario import model_script, units
from ipsecsim.scenario.model_script import Traffic
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.sentence import Sentence, Word, quote
from ipsecsim.scenario.verbs.verb import (
    FROM_TO,
    NAME,
    Options,
    Reader,
    Verb,
    count,
    data_size,
    ip_version,
    number,
    one_of,
    port,
)
from ipsecsim.scenario.world import World


class _Said(NamedTuple):
    """What is said of all traffic, for one pair of nodes."""

    source: str
    to: str
    name: str
    ip: int | None
    text: str
    place: Place


def _between(make: Callable[[_Said, Options], Traffic]) -> Reader:
    """A reader for FROM TO: one action for each pair of nodes that the two names stand for."""

    def read(sentence: Sentence, options: Options, names: Names) -> Iterator[Traffic]:
        verb, first, second = sentence.words
        written = [f"{pair.key.text}={quote(pair.values[0].text)}" for pair in sentence.pairs]
        name, ip = str(options.get("name", verb.text)), number(options, "ip", 0) or None
        for source, to in _pairs_of(first, second, names):
            text = " ".join([verb.text, source, to, *written])
            yield make(_Said(source, to, name, ip, text, sentence.source.place), options)

    return read


def _pairs_of(first: Word, second: Word, names: Names) -> Iterator[tuple[str, str]]:
    """Which goes with which: equal counts pair, one fans out. Raises Mistake."""
    ones, others = names.members(first), names.members(second)
    if len(ones) != len(others) and 1 not in (len(ones), len(others)):
        raise Mistake(
            f"'{first.text}' is {len(ones)} and '{second.text}' {len(others)} nodes; "
            "counts must be equal, or 1",
            first.offset,
        )
    pairs = [(ones[i % len(ones)], others[i % len(others)]) for i in range(max(len(ones), len(others)))]
    # Fanned out, a node does not send to itself; alone it may, if that is what somebody wrote.
    yield from pairs if len(pairs) == 1 else [(one, other) for one, other in pairs if one != other]


def _address(world: World, action: Traffic) -> bytes:
    """Where traffic goes: the address that the node's name stands for, in the IP version asked for."""
    node = world.simulator.nodes[action.to]
    asked = None if action.ip is None else node.address_of(action.ip)
    return asked or node.address


# -- ping -----------------------------------------------------------------------------------------


def _read_ping(said: _Said, options: Options) -> model_script.Ping:
    return model_script.Ping(
        said.source,
        said.to,
        count=number(options, "count", 1),
        size=number(options, "size", 56),
        interval=number(options, "interval", units.TIME["s"]),
        df=bool(options.get("df", False)),
        dscp=number(options, "dscp", 0),
        name=said.name,
        ip=said.ip,
        text=said.text,
        place=said.place,
    )


def _plan_ping(world: World, action: model_script.Ping, at: Instant) -> None:
    def begin() -> None:
        node = world.simulator.nodes[action.source]
        application = Ping(
            node,
            _address(world, action),
            name=action.name,
            count=action.count,
            size=action.size,
            interval=action.interval,
            dont_fragment=action.df,
            dscp=action.dscp,
        )
        world.traffic[action.name] = ("ping", action.source, action.to)
        world.pings[action.name] = application.result
        node.run(application)

    world.simulator.plan(at, world.simulator.nodes[action.source], begin)


# -- send -----------------------------------------------------------------------------------------


def _read_send(said: _Said, options: Options) -> model_script.Send:
    return model_script.Send(
        said.source,
        said.to,
        proto=str(options.get("proto", "udp")),
        dport=number(options, "dport", 9),
        sport=number(options, "sport", 0) or None,
        size=number(options, "size", 64),
        dscp=number(options, "dscp", 0),
        name=said.name,
        ip=said.ip,
        text=said.text,
        place=said.place,
    )


def _plan_send(world: World, action: model_script.Send, at: Instant) -> None:
    def begin() -> None:
        node = world.simulator.nodes[action.source]
        world.traffic[action.name] = ("send", action.source, action.to)
        node.run(
            Send(
                node,
                _address(world, action),
                name=action.name,
                destination_port=action.dport,
                source_port=action.sport,
                size=action.size,
                dscp=action.dscp,
            )
        )

    world.simulator.plan(at, world.simulator.nodes[action.source], begin)


TRAFFIC_VERBS: dict[str, Verb] = {
    "ping": Verb(
        FROM_TO,
        {
            "count": count,
            "size": data_size,
            "interval": units.duration,
            "df": units.yes_no,
            "dscp": units.dscp,
            "ip": ip_version,
            **NAME,
        },
        "ping alice bob count=3",
        model_script.Ping,
        _between(_read_ping),
        _plan_ping,
    ),
    "send": Verb(
        FROM_TO,
        {
            "proto": one_of("udp"),
            "dport": port,
            "sport": port,
            "size": data_size,
            "dscp": units.dscp,
            "ip": ip_version,
            **NAME,
        },
        "send alice bob dport=9 size=100",
        model_script.Send,
        _between(_read_send),
        _plan_send,
    ),
    "flow": Verb(
        FROM_TO,
        {
            "rate": units.rate,
            "size": data_size,
            "interval": units.duration,
            "duration": units.duration,
            "kind": one_of("constant", "poisson", "on_off"),
            "dport": port,
            "count": count,
            **NAME,
        },
        "flow alice bob rate=1mbit duration=10s",
    ),
    "voice": Verb(
        FROM_TO,
        {"codec": one_of("g711", "g729"), "duration": units.duration, **NAME},
        "voice alice bob codec=g729 duration=60s",
    ),
    "bulk": Verb(FROM_TO, {"size": units.size, **NAME}, "bulk alice bob size=1MB"),
    "web": Verb(FROM_TO, {"size": units.size, "count": count, **NAME}, "web alice bob"),
    "dns": Verb(FROM_TO, {"count": count, **NAME}, "dns alice bob"),
    "trace": Verb(FROM_TO, {"size": data_size, "df": units.yes_no, **NAME}, "trace alice bob"),
}
