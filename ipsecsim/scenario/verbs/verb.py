"""What a row of the verbs holds, and how the options are read that several verbs share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.instant import Instant
from ipsecsim.scenario import units
from ipsecsim.scenario.kinds import name as read_name
from ipsecsim.scenario.model import SubjectKind
from ipsecsim.scenario.model_script import ScriptAction
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.sentence import Sentence
from ipsecsim.scenario.world import World

Option = Callable[[str], object]
Options = Mapping[str, object]
"""The options of a sentence by key, each read."""

Reader = Callable[[Sentence, Options, Names], Iterable[ScriptAction]]
"""Makes the actions of a sentence whose words and options were checked. Raises Mistake."""

Performer = Callable[[World, Any, Instant], None]
"""Plans the turns of an action, the first of them at a moment."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb. `words` say what stands after it; with `selects` packet selectors may follow too.

    `read` makes actions of the class `action`, and `perform` plans their turns. A verb that nobody performs yet
    has none of the three, and stands in `not_yet`.
    """

    words: tuple[str, ...]
    options: Mapping[str, Option]
    example: str
    action: type[ScriptAction] | None = None
    read: Reader | None = None
    perform: Performer | None = None
    selects: bool = False


FROM_TO = ("FROM", "TO")
"""The words of every verb that makes traffic."""


def _traffic_name(text: str) -> str:
    """A name by which to ask about traffic later. Raises Mistake."""
    if text in get_args(SubjectKind):
        raise Mistake(f"'{text}' is asked about already; take another name")
    return read_name(text)


NAME: Mapping[str, Option] = {"name": _traffic_name}


def count(text: str) -> int:
    """How often. Raises Mistake, as all of these."""
    return units.whole(text, 1, 1_000_000)


def port(text: str) -> int:
    """A port of UDP or TCP."""
    return units.whole(text, 1, 65535)


LINK_GROUPS = Prefix.parse("224.0.0.0/24")
"""Multicast groups of one link, as routing protocols use them: no router passes them on (RFC 5771 4)."""


def link_group(text: str) -> str:
    """A multicast group of one link."""
    try:
        is_one = pack(text) in LINK_GROUPS
    except ValueError:
        is_one = False
    if not is_one:
        raise Mistake(
            f"'{text}' is no multicast group of one link ({LINK_GROUPS}); write for example 224.0.0.9"
        )
    return text


def data_size(text: str) -> int:
    """Bytes that fit into one IPv4 packet, behind its header and that of UDP or ICMP."""
    size = units.size(text)
    if size > 65507:
        raise Mistake(f"'{text}' does not fit into one IP packet; at most 65507")
    return size


def packet_rate(text: str) -> float:
    """Packets a second, '10000/s'."""
    if not text.endswith("/s") or not text[:-2].isdigit() or not int(text[:-2]):
        raise Mistake(f"'{text}' is no packet rate; write for example 100/s")
    return float(text[:-2])


def one_of(*known: str) -> Option:
    """One of a few words."""

    def read(text: str) -> str:
        if text not in known:
            raise Mistake(f"unknown word '{text}'{did_you_mean(text, known)}")
        return text

    return read


def ip_version(text: str) -> int:
    """4 or 6."""
    return int(str(one_of("4", "6")(text)))


def number(options: Options, key: str, default: int) -> int:
    """An option that its reader has made a whole number of, or the default."""
    value = options.get(key, default)
    assert isinstance(value, int)  # noqa: S101  # the option's reader made it
    return value
