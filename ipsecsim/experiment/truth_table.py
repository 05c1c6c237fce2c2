"""Truth tables: the cells of a topology's matrix, and what came of each, a column a question."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ipsecsim.experiment import nat_probe
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.matrix import Outcome
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.why import findings
from ipsecsim.wire.layers import layers


@dataclass(frozen=True, slots=True)
class Column:
    """A question to each cell's run, answered in a word or two."""

    head: str
    answer: Callable[[Outcome], str]


@dataclass(frozen=True, slots=True)
class TruthTable:
    """The topology whose matrix it shows, and what it asks. `prepare` plans what a script can't say."""

    topology: str
    columns: tuple[Column, ...]
    prepare: Callable[[Run], None] = lambda _: None


def tunnel(outcome: Outcome) -> str:
    """Is every tunnel up at the end?"""
    world = outcome.run.world
    return "up" if all(is_up(world, name) for name in world.topology.tunnels) else "down"


def traffic(outcome: Outcome) -> str:
    """Was everything that was sent received?"""
    results = outcome.run.world.results.values()
    sent, received = (sum(getattr(each, word) for each in results) for word in ("sent", "received"))
    return {0: "no", sent: "yes"}.get(received, f"{received} of {sent}")


def travels_as(outcome: Outcome) -> str:
    """In which form protected packets were sent, whether or not they arrived."""
    forms: dict[str, None] = {}
    for _, sent in outcome.run.recorder.of(FrameSent):
        seen = layers(sent.packet)
        for form, name in (("esp", "ESP"), ("ah", "AH")):
            if form in seen:
                forms[f"{name} in UDP" if "udp" in seen[: seen.index(form)] else name] = None
    return ", ".join(forms)


def why(outcome: Outcome) -> str:
    """What is found to be wrong."""
    run = outcome.run
    found = findings(run.recorder, run.world.simulator)
    return ", ".join(dict.fromkeys(each.diagnosis.name for each in found))


def mapping(peer: int) -> Callable[[Outcome], str]:
    """Is the endpoint that a peer sees the one that the first peer saw?"""
    return lambda outcome: nat_probe.mappings(outcome.run)[peer]


def comer(peer: int) -> Callable[[Outcome], str]:
    """Does a peer get in by the endpoint that the first peer saw?"""
    return lambda outcome: nat_probe.gets_in(outcome.run)[peer]


def outside_ports(outcome: Outcome) -> str:
    """Which ports were given."""
    return " ".join(map(str, nat_probe.ports(outcome.run)))


TRUTH_TABLES: Mapping[str, TruthTable] = {
    "firewall": TruthTable(
        "firewall_truth_table",
        (
            Column("tunnel", tunnel),
            Column("traffic", traffic),
            Column("travels as", travels_as),
            Column("why", why),
        ),
    ),
    "nat": TruthTable(
        "nat_truth_table",
        (
            Column("one:10 sees", mapping(0)),
            Column("two:9 sees", mapping(1)),
            Column("one:9 gets in", comer(0)),
            Column("one:10", comer(1)),
            Column("two:9", comer(2)),
            Column("pc:6000 neighbour:6000 pc:7000 are", outside_ports),
        ),
        nat_probe.plan,
    ),
}
"""By the word that asks for them."""
