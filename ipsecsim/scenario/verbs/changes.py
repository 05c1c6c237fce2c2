"""`set PATH VALUE`: what can change while the run goes on, a row a kind of path."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ipsecsim.base.instant import Instant
from ipsecsim.net.events import SettingChanged
from ipsecsim.net.node import Node
from ipsecsim.scenario.clock import ClockReading
from ipsecsim.scenario.firewall import with_preset
from ipsecsim.scenario.model import LinkSpec
from ipsecsim.scenario.model_script import Set
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.rerouting import follow_address, follow_links
from ipsecsim.scenario.sentence import Sentence, Word, quote
from ipsecsim.scenario.swanctl.values import address
from ipsecsim.scenario.verbs.verb import Options, Verb
from ipsecsim.scenario.world import World
from ipsecsim.stack.firewall import Ruleset, Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """`make` is called in a turn of the first of `nodes`; all learn of it by `tell`, each in a turn of its own."""

    make: Callable[[World, Set], None]
    nodes: Callable[[World, Set], tuple[str, ...]]
    tell: Callable[[Node], None] | None = None
    read: Callable[[str], object] | None = None  # where the field itself takes any text


# -- links ----------------------------------------------------------------------------------------

_OPTIONS = {
    "delay": "delay",
    "rate": "rate",
    "limit": "queue_packets",
    "queue": "queue_bytes",
    **{word: word for word in ("jitter", "distribution", "loss", "duplicate", "corrupt", "reorder")},
    "distribution": "distribution",
}
"""What may differ by direction: the words of the language, and the fields of the link."""


def _ends(world: World, action: Set) -> tuple[str, ...]:
    return tuple(node for node, _ in world.topology.links[action.path[1]].endpoints)


def _change_link(world: World, action: Set) -> None:
    link = world.simulator.links[action.path[1]]
    sender = action.path[3] if action.path[2] == "from" else None
    link.change(_OPTIONS[action.path[-1]], action.value, sender)


def _change_mtu(world: World, action: Set) -> None:
    world.simulator.links[action.path[1]].change("mtu", action.value)


def _change_state(world: World, action: Set) -> None:
    world.simulator.links[action.path[1]].change("up", action.value == "up")
    follow_links(world)


def _holder(_: World, action: Set) -> tuple[str, ...]:
    return (action.path[3],)


def _change_address(world: World, action: Set) -> None:
    """The node has it from now on, after a restart too, and whoever sends to the old one as a next hop knows."""
    link, name, new = action.path[1], action.path[3], action.value
    assert isinstance(new, bytes)  # noqa: S101 - it was read
    node, spec = world.simulator.nodes[name], world.topology.nodes[name]
    at = next(each for each in spec.interfaces if each.link == link)
    old = node.stack.interfaces[at.name].address_like(new)
    if old is None:
        return
    addresses = tuple((new if packed == old else packed, length) for packed, length in at.addresses)
    interfaces = tuple(replace(each, addresses=addresses) if each is at else each for each in spec.interfaces)
    nodes = {**world.topology.nodes, name: replace(spec, interfaces=interfaces)}
    world.topology = replace(world.topology, nodes=nodes)
    node.readdress(at.name, new)
    follow_address(world, old, new)


def objection(action: Set, links: Mapping[str, LinkSpec]) -> str | None:
    """What is wrong with an address that is to be set, where only the whole network shows it."""
    if action.path[0] != "links" or action.path[2] != "addrs":
        return None
    link, name, new = links[action.path[1]], action.path[3], action.value
    assert isinstance(new, bytes)  # noqa: S101 - it was read
    if name not in (node for node, _ in link.endpoints):
        return f"{name} is not on {link.name}"
    if not any(new in net for net in link.nets):
        return f"{action.written} is not in the network of {link.name}, {' or '.join(map(str, link.nets))}"
    return None


# -- nodes ----------------------------------------------------------------------------------------


def _owner(_: World, action: Set) -> tuple[str, ...]:
    return (action.path[1],)


def _change_interface(world: World, action: Set) -> None:
    node = world.simulator.nodes[action.path[1]]
    node.plug(action.path[3], is_in=action.value == "up")
    node.interfaces_changed(None)


def _change_clock(world: World, action: Set) -> None:
    clock, now = world.simulator.nodes[action.path[1]].clock, world.simulator.now
    reading = action.value
    assert isinstance(reading, ClockReading)  # noqa: S101 - the schema made it
    clock.set(reading.at(clock.date(now)), now)


def _change_preset(world: World, action: Set) -> None:
    """Another preset, with its default. Rules of one's own stay before it."""
    node = world.simulator.nodes[action.path[1]]
    node.filter(with_preset(_rules_of(node), action.written))


def _change_default(world: World, action: Set) -> None:
    node = world.simulator.nodes[action.path[1]]
    node.filter(replace(_rules_of(node), default=Verdict(action.written)))


def _rules_of(node: Node) -> Ruleset:
    return Ruleset() if node.filtering is None else node.filtering.firewall.ruleset


CHANGES: Mapping[str, Change] = {
    **{f"links.*.{word}": Change(_change_link, _ends) for word in _OPTIONS},
    **{f"links.*.from.*.{word}": Change(_change_link, _ends) for word in _OPTIONS},
    "links.*.addrs.*": Change(_change_address, _holder, read=address),
    "links.*.mtu": Change(_change_mtu, _ends, Node.links_changed),
    "links.*.state": Change(_change_state, _ends, Node.links_changed),
    "nodes.*.clock": Change(_change_clock, _owner),
    "nodes.*.interfaces.*.state": Change(_change_interface, _owner),
    "nodes.*.firewall.preset": Change(_change_preset, _owner),
    "nodes.*.firewall.default": Change(_change_default, _owner),
}


def _row(path: tuple[str, ...]) -> Change | None:
    """The row that a path fits; `*` stands for a name."""
    for pattern, change in CHANGES.items():
        parts = pattern.split(".")
        if len(parts) == len(path) and all(
            part in ("*", each) for part, each in zip(parts, path, strict=True)
        ):
            return change
    return None


def _read_set(sentence: Sentence, _: Options, names: Names) -> Iterator[Set]:
    where, value = sentence.words[1:]
    section, *rest = where.text.split(".")
    find = {"links": names.find_links, "nodes": names.find_nodes}.get(section)
    members = find(rest[0]) if find is not None and rest else ()
    paths = [(section, member, *rest[1:]) for member in members] or [(section, *rest)]
    assert names.paths is not None  # noqa: S101 - set before the script is read
    read = names.paths.read(Word(".".join(paths[0]), where.offset), value)
    row = _row(paths[0])
    if row is None:
        raise Mistake(
            f"{where.text} cannot change while the run goes on; to have it from the start, write it under set:",
            where.offset,
        )
    if row.read is not None:
        try:
            read = row.read(value.text)
        except Mistake as mistake:
            raise Mistake(mistake.message, value.offset + mistake.offset) from mistake
    for path in paths:
        text = f"set {'.'.join(path)} {quote(value.text)}"
        yield Set(path, read, value.text, text=text, place=sentence.source.place)


def _plan_set(world: World, action: Set, at: Instant) -> None:
    row = _row(action.path)
    assert row is not None  # noqa: S101 - it was read
    change, simulator = row, world.simulator
    first, *_ = nodes = change.nodes(world, action)

    def make() -> None:
        node = simulator.nodes[first]
        if node.tap is not None:
            node.tap(SettingChanged(".".join(action.path), action.written))
        change.make(world, action)
        learn(first)

    def learn(name: str) -> None:
        if change.tell is not None:
            change.tell(simulator.nodes[name])

    simulator.plan(at, simulator.nodes[first], make, even_when_down=True)
    for name in nodes[1:] if change.tell is not None else ():
        simulator.plan(at, simulator.nodes[name], lambda name=name: learn(name), even_when_down=True)  # type: ignore[misc]


CHANGE_VERBS: dict[str, Verb] = {
    "set": Verb(("PATH", "VALUE"), {}, "set links.wan.delay 50ms", Set, _read_set, _plan_set),
}
