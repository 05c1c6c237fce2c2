"""The parts of a script that depend on what happens: `when:` waits for a claim, `expect:` holds one on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipsecsim.base.instant import Instant, format_duration, format_seconds
from ipsecsim.experiment.expectations import Verdict, judge
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.scenario.build import play
from ipsecsim.scenario.model import Expectation, ScriptEntry
from ipsecsim.scenario.world import World


@dataclass(slots=True)
class _Check:
    """A claim that is to hold at `at`, or at the latest at `deadline`."""

    expectation: Expectation
    at: Instant
    deadline: Instant
    words: str


class Script:
    """Looks after every turn whether something that was waited for has come, or a time is over."""

    def __init__(self, world: World, lives: Lives) -> None:
        self.verdicts: list[Verdict] = []
        self._world = world
        self._lives = lives
        self._checks: list[_Check] = []
        self._waiting: list[Sequence[ScriptEntry]] = _groups(world.topology.script)
        for entry in world.topology.script:
            if entry.at is not None:
                self._expect(entry, entry.at)

    def after_turn(self) -> None:
        """Begin what has come to its moment, and judge what has come to its time."""
        for group in list(self._waiting):
            if all(self._judge(each).is_met for each in group[0].when):
                self._waiting.remove(group)
                self._begin(group)
        now = self._world.simulator.now
        self._settle(lambda check, verdict: verdict.is_met or now >= check.deadline)

    def finish(self) -> None:
        """The run is over: what still waits has waited in vain."""
        self._settle(lambda _check, _verdict: True)
        for group in self._waiting:
            for each in group[0].when:
                subject = f"when {each.subject.text}"
                self.verdicts.append(
                    Verdict(subject, each.claim_text, is_met=False, found="that it never held")
                )
        self._waiting.clear()

    def _begin(self, group: Sequence[ScriptEntry]) -> None:
        """Plan the entry whose moment this is, and those that count from it."""
        at = self._world.simulator.now
        for entry in group:
            at += entry.plus or 0
            play(self._world, entry, at)
            self._expect(entry, at)

    def _expect(self, entry: ScriptEntry, at: Instant) -> None:
        deadline = at + (entry.within or 0)
        words = f"at {format_seconds(at, 3)}"
        if entry.within:
            words += f" within {format_duration(entry.within)}"
        for each in entry.expect:
            self._checks.append(_Check(each, at, deadline, words))
        if entry.expect:
            # time must pass until then, even when the world is quiet
            for moment in dict.fromkeys((at, deadline)):
                simulator = self._world.simulator
                node = next(iter(simulator.nodes.values()))
                simulator.plan(moment, node, lambda: None, stimulus="look", even_when_down=True)

    def _settle(self, is_final: Callable[[_Check, Verdict], bool]) -> None:
        now = self._world.simulator.now
        left = []
        for check in self._checks:
            if now < check.at:
                left.append(check)
                continue
            verdict = self._judge(check.expectation)
            if is_final(check, verdict):
                subject = f"{check.words}, {verdict.subject}"
                self.verdicts.append(Verdict(subject, verdict.claim, verdict.is_met, verdict.found))
            else:
                left.append(check)
        self._checks = left

    def _judge(self, expectation: Expectation) -> Verdict:
        return judge(self._world, self._lives, expectation)


def _groups(script: Sequence[ScriptEntry]) -> list[Sequence[ScriptEntry]]:
    """Each `when:` with the entries behind it that count from it."""
    groups: list[list[ScriptEntry]] = []
    for entry in script:
        if entry.when:
            groups.append([entry])
        elif entry.plus is not None and groups:
            groups[-1].append(entry)
    return [tuple(group) for group in groups]
