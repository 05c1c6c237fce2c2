"""A selection that somebody makes of a run: words of Python or text, read as a file's author would write them."""

from collections.abc import Iterable, Mapping

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.selection import Selects, selection
from ipsecsim.scenario.model import Condition
from ipsecsim.scenario.name_table import names_of
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.selection import check_recorded
from ipsecsim.scenario.sentence import quote
from ipsecsim.scenario.tree import Text


def read_selection(run: Run, text: str) -> tuple[tuple[Condition, ...], Selects]:
    """The words of a selection, and the question they make. Raises ConfigError with a caret under what is wrong."""
    try:
        conditions = check_recorded(Text(text, Place("selection")), names_of(run.topology))
    except Mistake as mistake:
        place = Place("selection", 0, mistake.offset + 1, text)
        raise ConfigError(mistake.message, place) from mistake
    return conditions, selection(conditions, run.world.simulator, run.world.traffic)


def as_text(texts: Iterable[str], words: Mapping[str, object]) -> str:
    """'layer=esp dport=500|4500' of texts and of words such as layer="esp", dport=(500, 4500)."""
    return " ".join([*texts, *(_word(key, value) for key, value in words.items())])


def _word(key: str, value: object) -> str:
    several = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return f"{key}={'|'.join(_quoted(each) for each in several)}"


def _quoted(value: object) -> str:
    text = str(value)
    return text if "|" in text else quote(text)  # alternatives may be written out
