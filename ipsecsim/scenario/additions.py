"""Lines added to a topology from outside: `--do "5s ping alice bob"`, `--expect "ping: received 3"`."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario.tree import Map, Node, Seq, build


@dataclass(frozen=True, slots=True)
class Additions:
    """Lines for the script, each perhaps with a time in front, and expectations as `SUBJECT: CLAIM`."""

    do: Sequence[str] = ()
    expect: Sequence[str] = ()


def add(root: Map, lines: Additions) -> None:
    """Append the lines to the tree. Raises ConfigError for an expectation without a colon."""
    for line in lines.do:
        _append(root, "script", build(_entry(line), Place(f"--do {line!r}")))
    for line in lines.expect:
        subject, colon, claim = line.partition(": ")
        place = Place(f"--expect {line!r}")
        if not colon:
            raise ConfigError('write SUBJECT: CLAIM, for example "ping: received 3"', place)
        _append(root, "expect", build({subject.strip(): claim.strip()}, place))


def _entry(line: str) -> dict[str, str]:
    """A script entry; the first word is a time when it begins like one, and is kept as `at:`."""
    first, _, rest = line.strip().partition(" ")
    if first[:1].isdigit() or first[:1] == "+":
        return {"at": first, "do": rest}
    return {"do": line.strip()}


def _append(root: Map, key: str, item: Node) -> None:
    listed = root.get(key)
    if isinstance(listed, Seq):
        listed.items.append(item)
    else:
        # a lone mapping of expectations becomes the first entry of a list
        root.put(key, Seq(item.place, [item] if listed is None else [listed, item]))
