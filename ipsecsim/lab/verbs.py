"""The verbs of the script as methods, and what they need of a lab: each acts at the end of time and waits."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ipsecsim.lab.errors import LabError
from ipsecsim.lab.traffic import Traffic
from ipsecsim.scenario.model_script import Traffic as TrafficAction
from ipsecsim.scenario.sentence import quote
from ipsecsim.scenario.verbs import PERFORMERS

if TYPE_CHECKING:
    from ipsecsim.lab.lab import Lab


def perform(lab: "Lab", sentence: str, at: str | None = None) -> list[str]:
    """Plan a sentence for `at`, or for now; the names of the traffic that it makes. Raises ConfigError."""
    run = lab.run_at_the_end()
    source = lab.source.with_line(sentence if at is None else f"{at} {sentence}")
    topology = source.topology()
    entry = topology.script[-1]
    moment = run.now if at is None or entry.at is None else entry.at
    if moment < run.now:
        raise LabError(f"at {at} is over already; say a later time, or leave at= out for now")
    for action in entry.do:
        PERFORMERS[type(action)](run.world, action, moment)
    lab.source = source
    return [action.name for action in entry.do if isinstance(action, TrafficAction)]


class Verbs:
    """What can be done in the world, each with an answer."""

    def ping(self, source: str, to: str, **options: object) -> Traffic:
        """Echo requests: count=, size=, interval=, df=."""
        return self._wait("ping", source, to, options)

    def send(self, source: str, to: str, **options: object) -> Traffic:
        """One datagram: dport=, sport=, size=."""
        return self._wait("send", source, to, options)

    def flow(self, source: str, to: str, **options: object) -> Traffic:
        """Many datagrams: rate=, size=, duration=, kind=."""
        return self._wait("flow", source, to, options)

    def voice(self, source: str, to: str, **options: object) -> Traffic:
        """A call: codec=, duration=."""
        return self._wait("voice", source, to, options)

    def dns(self, source: str, to: str, **options: object) -> Traffic:
        """Questions and answers: count=."""
        return self._wait("dns", source, to, options)

    def trace(self, source: str, to: str, **options: object) -> Traffic:
        """The way and its MTU: size=, df=."""
        return self._wait("trace", source, to, options)

    def _wait(self, verb: str, source: str, to: str, options: Mapping[str, object]) -> Traffic:
        lab: Lab = self  # type: ignore[assignment]
        words = [f"{key}={quote(_option(value))}" for key, value in options.items()]
        names = perform(lab, " ".join([verb, source, to, *words]))
        run = lab.run_at_the_end()
        run.advance()
        lab.to_the_end()
        if len(names) != 1:
            raise LabError(f"{source} and {to} are several nodes; name one of each, or use do()")
        return Traffic(run, names[0])


def _option(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
