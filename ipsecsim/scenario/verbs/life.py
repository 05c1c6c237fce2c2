"""The verbs that speak of the life of nodes and of the world, and the narrator's."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.net.events import NoteTaken
from ipsecsim.net.node import Node
from ipsecsim.scenario import units
from ipsecsim.scenario.model_script import AboutNode, Crash, Flush, Note, Reboot, Restart, Roam
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.rerouting import catch_up
from ipsecsim.scenario.sentence import Sentence
from ipsecsim.scenario.verbs.verb import Options, Reader, Verb, number
from ipsecsim.scenario.world import World

REBOOT_TIME = 5 * SECOND
"""How long a node is down while it reboots."""


def _about_node(action: type[AboutNode]) -> Reader:
    """A reader for NODE: one action for each node that the name stands for."""

    def read(sentence: Sentence, _: Options, names: Names) -> Iterator[AboutNode]:
        verb, word = sentence.words
        for node in names.members(word):
            yield action(node, text=f"{verb.text} {node}", place=sentence.source.place)

    return read


def _plan_crash(world: World, action: AboutNode, at: Instant) -> None:
    def crash() -> None:
        before = world.simulator.nodes[action.node]
        spec = world.topology.nodes[action.node]
        # what is plugged in stays plugged in
        interfaces = tuple(replace(each, up=each.name not in before.unplugged) for each in spec.interfaces)
        before.crash()
        world.make_node(replace(spec, interfaces=interfaces)).inherit(before)
        catch_up(world, action.node)

    world.simulator.plan(at, world.simulator.nodes[action.node], crash)


def _plan_restart(world: World, action: AboutNode, at: Instant) -> None:
    def start() -> None:
        node = world.simulator.nodes[action.node]
        if not node.is_up:
            node.start_again()

    world.simulator.plan(at, world.simulator.nodes[action.node], start, even_when_down=True)


def _plan_reboot(world: World, action: Reboot, at: Instant) -> None:
    _plan_crash(world, action, at)
    _plan_restart(world, action, at + REBOOT_TIME)


def _plan_flush(world: World, action: Flush, at: Instant) -> None:
    nodes, name = world.simulator.nodes, action.node
    world.simulator.plan(at, nodes[name], lambda: nodes[name].flush())


def _read_roam(sentence: Sentence, options: Options, names: Names) -> Iterator[Roam]:
    _, node, interface = sentence.words
    gap, overlap = number(options, "gap", 0), number(options, "overlap", 0)
    if gap and overlap:
        raise Mistake(
            "the old interface goes before the new one comes (gap=) or after it (overlap=), not both"
        )
    text, place = sentence.source.value, sentence.source.place
    yield Roam(names.node(node), interface.text, gap, overlap, text=text, place=place)


def _plan_roam(world: World, action: Roam, at: Instant) -> None:
    """One turn, or two where the interfaces do not change places at the same moment."""
    nodes, name = world.simulator.nodes, action.node

    def plan(at: Instant, work: Callable[[Node], None]) -> None:
        world.simulator.plan(at, nodes[name], lambda: work(nodes[name]))

    if action.gap:
        plan(at, Node.lose_contact)
    if action.overlap:
        plan(at, lambda node: node.roam(action.interface, leaving=False))
    plan(at + action.gap + action.overlap, lambda node: node.roam(action.interface, leaving=True))


def _read_note(sentence: Sentence, _: Options, __: Names) -> Iterator[Note]:
    words = sentence.words[1].text
    yield Note(words, text=f"note {words}", place=sentence.source.place)


def _plan_note(world: World, action: Note, at: Instant) -> None:
    node = next(iter(world.simulator.nodes.values()))
    note = NoteTaken(action.words)
    world.simulator.plan(at, node, lambda: None if node.tap is None else node.tap(note), even_when_down=True)


LIFE_VERBS: dict[str, Verb] = {
    "roam": Verb(
        ("NODE", "INTERFACE"),
        {"gap": units.duration, "overlap": units.duration},
        "roam carol lte overlap=2s",
        Roam,
        _read_roam,
        _plan_roam,
    ),
    "crash": Verb(("NODE",), {}, "crash west", Crash, _about_node(Crash), _plan_crash),
    "restart": Verb(("NODE",), {}, "restart west", Restart, _about_node(Restart), _plan_restart),
    "reboot": Verb(("NODE",), {}, "reboot home", Reboot, _about_node(Reboot), _plan_reboot),
    "flush": Verb(("NODE",), {}, "flush west", Flush, _about_node(Flush), _plan_flush),
    "note": Verb(("WORDS",), {}, "note now the link fails", Note, _read_note, _plan_note),
}
