"""The verbs that speak of the life of nodes and of the world, and the narrator's."""

from collections.abc import Callable, Iterator

from ipsecsim.base.instant import Instant
from ipsecsim.net.events import NoteTaken
from ipsecsim.net.node import Node
from ipsecsim.scenario import units
from ipsecsim.scenario.model_script import Note, Roam
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.sentence import Sentence
from ipsecsim.scenario.verbs.verb import Options, Verb, number
from ipsecsim.scenario.world import World


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
    world.simulator.plan(at, node, lambda: None if node.tap is None else node.tap(NoteTaken(action.words)))


LIFE_VERBS: dict[str, Verb] = {
    "roam": Verb(
        ("NODE", "INTERFACE"),
        {"gap": units.duration, "overlap": units.duration},
        "roam carol lte overlap=2s",
        Roam,
        _read_roam,
        _plan_roam,
    ),
    "crash": Verb(("NODE",), {}, "crash west"),
    "restart": Verb(("NODE",), {}, "restart west"),
    "reboot": Verb(("NODE",), {}, "reboot home"),
    "flush": Verb(("NODE",), {}, "flush west"),
    "set": Verb(("PATH", "VALUE"), {}, "set links.wan.delay 50ms"),
    "note": Verb(("WORDS",), {}, "note now the link fails", Note, _read_note, _plan_note),
}
