"""The verbs that make traffic: FROM TO and options. Who performs them stands in `net.apps`."""

from collections.abc import Iterator

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.net.application import Result
from ipsecsim.net.apps import APPS
from ipsecsim.net.apps.flow import DEFAULT_SIZE, SMALLEST_SIZE
from ipsecsim.net.apps.voice import CODECS
from ipsecsim.scenario import units
from ipsecsim.scenario.model_script import Traffic
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.sentence import Sentence, Word, quote
from ipsecsim.scenario.verbs.verb import (
    FROM_TO,
    NAME,
    Option,
    Options,
    Verb,
    count,
    data_size,
    ip_version,
    link_group,
    number,
    one_of,
    port,
)
from ipsecsim.scenario.world import World

_KEYWORDS = {"df": "dont_fragment", "dport": "destination_port", "sport": "source_port"}
_NOT_THE_APPLICATIONS = ("name", "ip", "proto", "rate")


def _read(sentence: Sentence, options: Options, names: Names) -> Iterator[Traffic]:
    """One action for each pair of nodes that the two names stand for."""
    verb, first, second = sentence.words
    written = [f"{pair.key.text}={quote(pair.values[0].text)}" for pair in sentence.pairs]
    started_with = tuple(_keywords(options))
    for source, to in _pairs_of(first, second, names):
        yield Traffic(
            verb.text,
            source,
            to,
            started_with,
            name=str(options.get("name", verb.text)),
            ip=number(options, "ip", 0) or None,
            text=" ".join([verb.text, source, to, *written]),
            place=sentence.source.place,
        )


def _keywords(options: Options) -> Iterator[tuple[str, int | str]]:
    """The options in the application's words; a rate becomes the time between two packets."""
    for key, value in options.items():
        if key not in _NOT_THE_APPLICATIONS:
            assert isinstance(value, int | str)  # noqa: S101 - the option's reader made it
            yield _KEYWORDS.get(key, key), value
    if "rate" in options:
        if "interval" in options:
            raise Mistake("rate= and interval= say the same twice; write one of them")
        size = number(options, "size", DEFAULT_SIZE)
        yield "interval", -(-size * 8 * SECOND // number(options, "rate", 0))


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


def _perform(world: World, action: Traffic, at: Instant) -> None:
    """The near end begins; where the far end has to listen, it does so first, in a turn of its own."""
    nodes, app, result, options = world.simulator.nodes, APPS[action.verb], Result(), dict(action.options)
    listener = app.far

    def listen() -> None:
        assert listener is not None  # noqa: S101 - planned only then
        far = nodes[action.to]
        far.listen(listener(far, name=action.name, result=result, **options))

    def begin() -> None:
        near, far = nodes[action.source], nodes[action.to]
        world.traffic[action.name] = (action.verb, action.source, action.to)
        world.results[action.name] = result
        asked = None if action.ip is None else far.address_of(action.ip)
        near.run(app.near(near, asked or far.address, name=action.name, result=result, **options))

    if listener is not None:
        world.simulator.plan(at, nodes[action.to], listen)
    world.simulator.plan(at, nodes[action.source], begin)


def _flow_size(text: str) -> int:
    size = data_size(text)
    if size < SMALLEST_SIZE:
        raise Mistake(f"a flow's packets carry their number and time: {SMALLEST_SIZE} bytes at least")
    return size


def _verb(example: str, **options: Option) -> Verb:
    return Verb(FROM_TO, {**options, "ip": ip_version, **NAME}, example, Traffic, _read, _perform)


TRAFFIC_VERBS: dict[str, Verb] = {
    "ping": _verb(
        "ping alice bob count=3",
        count=count,
        size=data_size,
        interval=units.duration,
        df=units.yes_no,
        dscp=units.dscp,
    ),
    "send": _verb(
        "send alice bob dport=9 size=100",
        proto=one_of("udp"),
        dport=port,
        sport=port,
        size=data_size,
        dscp=units.dscp,
    ),
    "flow": _verb(
        "flow alice bob rate=1mbit duration=10s",
        rate=units.rate,
        size=_flow_size,
        interval=units.duration,
        duration=units.duration,
        kind=one_of("constant", "poisson", "on_off"),
        dport=port,
        count=count,
        df=units.yes_no,
        dscp=units.dscp,
        group=link_group,
    ),
    "voice": _verb(
        "voice alice bob codec=g729 duration=60s",
        codec=one_of(*CODECS),
        duration=units.duration,
        dscp=units.dscp,
    ),
    "bulk": Verb(FROM_TO, {"size": units.size, **NAME}, "bulk alice bob size=1MB"),
    "web": Verb(FROM_TO, {"size": units.size, "count": count, **NAME}, "web alice bob"),
    "dns": _verb("dns alice bob", count=count, dscp=units.dscp),
    "trace": _verb("trace alice bob", size=data_size, df=units.yes_no),
}
