"""Would that have helped? The same topology with the same seed and one setting changed is run again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.observe.telling.shape import count
from ipsecsim.scenario.model import Topology
from ipsecsim.study.trouble import Evidence
from ipsecsim.study.why import Why

Reread = Callable[[Sequence[tuple[str, str]]], Topology]
"""Reads the topology of a run once more, with these settings made after all others."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it. `differences` are sentences: what is gone, what is up, what got through.

    It is cured when the trouble is gone and nothing but drops has come in its place.
    """

    setting: str
    is_cured: bool
    differences: tuple[str, ...]


def prove(run: Run, why: Why, reread: Reread) -> Proof | None:
    """Run again with the setting of an answer; None when it has none. Raises ConfigError when it cannot be made."""
    path, equals, value = why.setting.partition("=")
    if not equals:
        return None
    again = Run(reread([(path, value)]), seed=run.seed).run()
    had, left = _reasons(run), _reasons(again)
    is_gone = why.reason not in left
    differences = [f"{why.reason} is {'gone' if is_gone else 'still there'}"]
    for name in run.topology.tunnels:
        was, now = is_up(run.world, name), name in again.topology.tunnels and is_up(again.world, name)
        if was != now:
            differences.append(f"tunnel {name} was {_state(is_up=was)} and is {_state(is_up=now)}")
    for name, result in run.world.results.items():
        other = again.world.results.get(name)
        if other is not None and other.received != result.received:
            differences.append(
                f"{name}: {result.received} of {result.sent} got through, now {other.received} of {other.sent}"
            )
    dropped, drops = (_drops(each, why.shows_as) for each in (run, again))
    if dropped != drops:
        differences.append(f"{why.shows_as}: {count(dropped, 'drop')}, now {drops or 'none'}")
    also = [name for name in sorted(had - left) if name != why.reason and name not in DropReason.__members__]
    differences += [f"{name} is gone, too" for name in also]
    new = sorted(left - had)
    if new:
        differences.append(f"instead there is {', '.join(new)}")
    is_well = is_gone and all(name in DropReason.__members__ for name in new)
    return Proof(why.setting, is_well, tuple(differences))


def _drops(run: Run, reason: str) -> int:
    return sum(event.reason.name == reason for _, event in run.recorder.of(PacketDropped))


def _reasons(run: Run) -> set[str]:
    return {each.reason.name for each in Evidence(run).harm()}


def _state(*, is_up: bool) -> str:
    return "up" if is_up else "down"
