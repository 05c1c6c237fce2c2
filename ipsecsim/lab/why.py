"""An answer to 'why', that shows itself. Its words are those of `study`."""

from dataclasses import dataclass, fields

from ipsecsim.experiment.run import Run
from ipsecsim.lab.shown import Shown
from ipsecsim.study import why as study
from ipsecsim.views.why import whole


@dataclass(frozen=True, repr=False)
class Why(Shown, study.Why):
    """What `study.why` answers. It is false when nothing went wrong."""

    def text(self) -> str:
        """The sentence, the chain of events, who knows, the clause, and what to look at."""
        return whole(self)

    def __repr__(self) -> str:
        return self.text()

    def __bool__(self) -> bool:
        return bool(self.reason)


def ask(run: Run, about: str | int | None = None) -> Why:
    """Ask about a tunnel, traffic, a node or a packet's number, or for the main trouble. Raises ConfigError."""
    answer = study.why(run, about)
    return Why(**{field.name: getattr(answer, field.name) for field in fields(answer)})
