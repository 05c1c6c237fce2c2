"""SUBJECT: CLAIM, in `expect:` and `when:` alike: what can be asked, and how an answer is judged."""

import re
from collections.abc import Iterator
from typing import Literal

from ipsecsim.scenario import reasons, units
from ipsecsim.scenario.model import (
    Claim,
    Comparison,
    Condition,
    Expectation,
    MeasureClaim,
    ReasonClaim,
    StateClaim,
    Subject,
    SubjectKind,
)
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.not_yet import MEASURES_LATER
from ipsecsim.scenario.problems import Mistake, Problems, did_you_mean
from ipsecsim.scenario.script import TRAFFIC
from ipsecsim.scenario.selection import RECORDED, conditions
from ipsecsim.scenario.sentence import Sentence, Word, parse
from ipsecsim.scenario.swanctl.parse import NotYet
from ipsecsim.scenario.tree import Map, Text
from ipsecsim.scenario.verbs import SCRIPT_VERBS

Unit = Literal["number", "number or %", "time", "size", "rate", "%"]

_COUNTED: dict[str, Unit] = {"": "number", "count": "number", "bytes": "size"}
MEASURES: dict[SubjectKind, dict[str, Unit]] = {
    "traffic": {
        "sent": "number",
        "received": "number",
        "lost": "number or %",
        "rtt": "time",
        "size": "size",
        "jitter": "time",
        "goodput": "rate",
        "retransmissions": "number",
        "duration": "time",
        "hops": "number",
    },
    "tunnel": {"setup_time": "time", "outage": "time"},
    "packets": _COUNTED,
    "drops": _COUNTED,
    "leaks": _COUNTED,
    "notify": {"": "number", "count": "number"},
    "why": {},
    "sas": {"": "number", "count": "number"},
    "mapping": {"": "number", "count": "number", "lost": "number"},
    "node": {"cpu": "%", "energy": "number", "sas": "number"},
}
"""What can be measured of each subject, and in which unit."""

_COMPARISONS: dict[str, Comparison] = {
    "at least": "at least",
    "at most": "at most",
    "more than": "more than",
    "less than": "less than",
    ">=": "at least",
    "<=": "at most",
    ">": "more than",
    "<": "less than",
    "=": "equal",
    "==": "equal",
    "!=": "not equal",
    "about": "about",
}
_EXAMPLES: dict[SubjectKind, str] = {
    "traffic": "received 3",
    "tunnel": "up",
    "packets": "at least 1",
    "drops": "none",
    "leaks": "none",
    "notify": "AUTHENTICATION_FAILED",
    "why": "AUTH_PSK_MISMATCH",
    "sas": "at least 2",
    "mapping": "lost 1",
    "node": "up",
}
_SYMBOL = re.compile(r"(<=|>=|==|!=|<|>|=)\s*(.*)")


def read_claims(node: Map, names: Names, problems: Problems) -> tuple[Expectation, ...]:
    """Every claim of one mapping; `where:` holds for all of them. Mistakes are noted."""
    where = _read_where(node, names, problems)
    made: list[Expectation] = []
    for key, entry in node.entries.items():
        claim = entry.node
        if key == "where" or not isinstance(claim, Text):
            continue
        at = entry.key
        try:
            subject = _read_subject(entry.key, names)
            at = claim
            if not claim.value:
                raise _no_claim(subject, claim)
            value = _read_claim(subject.kind, claim)
            if isinstance(value, MeasureClaim) and value.measure in MEASURES_LATER:
                problems.not_yet(f"claims about '{value.measure}'", claim.place)
            made.append(Expectation(subject, value, claim.value, where, entry.key.place))
        except NotYet as error:
            problems.not_yet(error.message, at.at(error.offset))
        except Mistake as error:
            problems.add(error.message, at.at(error.offset))
    return tuple(made)


def _no_claim(subject: Subject, claim: Text) -> Mistake:
    if claim.place.source[claim.place.column - 1 :].startswith(">"):
        return Mistake("'>' begins a block of text in YAML; put it in quotes (or write: more than, at least)")
    return Mistake(f"a claim is missing; write for example  {subject.text}: {_EXAMPLES[subject.kind]}")


def _read_where(node: Map, names: Names, problems: Problems) -> tuple[Condition, ...]:
    """The axes of the matrix, and their values, to which an expectation is limited."""
    text = node.text("where")
    if text is None:
        return ()
    made: list[Condition] = []
    try:
        sentence = parse(text)
        for word in sentence.words:
            raise Mistake(f"where: is axis=value words; '{word.text}' is none", word.offset)
        for pair in sentence.pairs:
            axis = pair.key.text
            if axis not in names.axes:
                hint = did_you_mean(axis, names.axes) or "; the topology has no matrix"
                raise Mistake(f"the matrix has no axis '{axis}'{hint}", pair.key.offset)
            for value in pair.values:
                if value.text not in names.axes[axis]:
                    hint = did_you_mean(value.text, names.axes[axis])
                    raise Mistake(f"axis '{axis}' has no value '{value.text}'{hint}", pair.key.offset)
            made.append(Condition(axis, pair.operator, tuple(word.text for word in pair.values)))
    except Mistake as mistake:
        problems.add(mistake.message, text.at(mistake.offset))
    return tuple(made)


# Subjects


def _read_subject(key: Text, names: Names) -> Subject:
    sentence = parse(key)
    if not sentence.words:
        raise Mistake("a claim begins with what it is about; write for example  ping alice bob: received 1")
    first = sentence.words[0]
    known: tuple[SubjectKind, ...] = (
        "tunnel",
        "packets",
        "drops",
        "leaks",
        "notify",
        "why",
        "sas",
        "mapping",
        "node",
    )
    kind: SubjectKind | None = next((each for each in known if each == first.text), None)
    if first.text in names.traffic or first.text in TRAFFIC:
        kind = "traffic"
    if kind is None:
        options = [*known, *names.traffic, *TRAFFIC]
        raise Mistake(f"nothing is called '{first.text}'{did_you_mean(first.text, options)}", first.offset)
    meant = _subject_names(kind, sentence, names)
    where = _subject_where(kind, sentence, names)
    return Subject(kind, meant, where, key.value)


def _subject_names(kind: SubjectKind, sentence: Sentence, names: Names) -> tuple[str, ...]:
    first, *rest = sentence.words
    match kind:
        case "traffic":
            return _traffic_names([first, *rest], names)
        case "tunnel":
            _at_most(rest, 1, "tunnel net")
            return names.find_tunnels(rest[0]) if rest else ()
        case "node":
            _at_most(rest, 1, "node hub")
            if not rest:
                raise Mistake("node needs a name; write for example  node hub: up", first.offset)
            return names.members(rest[0])
        case "why":
            return _why_names(rest, names)
        case _:
            _at_most(rest, 0, f"{first.text} node=west")
            return ()


def _traffic_names(words: list[Word], names: Names) -> tuple[str, ...]:
    """'ping', 'ping alice bob', or a name given by name=."""
    first, *rest = words
    if not rest:
        return (first.text,)
    if first.text not in SCRIPT_VERBS or len(rest) != 2:
        raise Mistake(
            f"write {first.text} alone" + (f", or {first.text} FROM TO" if first.text in TRAFFIC else ""),
            rest[-1].offset,
        )
    for word in rest:
        names.members(word)
    return (first.text, rest[0].text, rest[1].text)


def _why_names(rest: list[Word], names: Names) -> tuple[str, ...]:
    if not rest:
        return ()
    first = rest[0]
    if first.text == "tunnel":
        _at_most(rest[1:], 1, "why tunnel net")
        return ("tunnel", *(names.find_tunnels(rest[1]) if len(rest) > 1 else ()))
    if first.text in names.traffic or first.text in TRAFFIC:
        return _traffic_names(rest, names)
    options = ["tunnel", *names.traffic, *TRAFFIC]
    raise Mistake(f"nothing is called '{first.text}'{did_you_mean(first.text, options)}", first.offset)


def _at_most(rest: list[Word], number: int, example: str) -> None:
    if len(rest) > number:
        word = rest[number]
        raise Mistake(f"'{word.text}' is one word too many; write for example  {example}", word.offset)


def _subject_where(kind: SubjectKind, sentence: Sentence, names: Names) -> tuple[Condition, ...]:
    first, *rest = (word.text for word in sentence.words)
    if not sentence.pairs:
        if kind != "traffic" or len(rest) != 2:
            return ()
        return tuple(
            Condition(key, "=", names.find_nodes(name))
            for key, name in zip(("from", "to"), rest, strict=True)
        )
    if kind in ("packets", "drops", "leaks"):
        return conditions(sentence.pairs, RECORDED, first, names)
    if kind == "notify":
        ends = dict.fromkeys(("from", "to"), RECORDED["node"])
        return conditions(sentence.pairs, ends, first, names)
    if kind in ("sas", "mapping"):
        return conditions(sentence.pairs, {"node": RECORDED["node"]}, first, names)
    pair = sentence.pairs[0]
    raise Mistake(f"'{first}' takes no '{pair.key.text}=' here", pair.key.offset)


# Claims


def _read_claim(kind: SubjectKind, text: Text) -> Claim:
    words = list(_words(text.value))
    first, *rest = words
    if kind == "why":
        _located(reasons.diagnosis, first)
        return _reason(first.text, rest)
    if first.text in ("up", "down", "none"):
        return _state(kind, first, rest)
    compares = _comparison(words)[0] is not None or first.text in MEASURES[kind]
    if kind in ("drops", "notify") and not compares and first.text[:1].isalpha():
        _located(reasons.drop_reason if kind == "drops" else reasons.notify, first)
        return _reason(first.text, rest)
    return _measure(kind, words)


def _words(text: str) -> Iterator[Word]:
    for match in re.finditer(r"\S+", text):
        yield Word(match[0], match.start())


def _located(read: object, word: Word) -> None:
    """Run a reader whose mistakes have no offset of their own."""
    try:
        read(word.text)  # type: ignore[operator]  # one of the functions of `reasons`
    except NotYet as later:
        raise NotYet(later.message, word.offset) from later
    except Mistake as mistake:
        raise Mistake(mistake.message, word.offset) from mistake


def _reason(reason: str, rest: list[Word]) -> ReasonClaim:
    return ReasonClaim(reason, _count(rest))


def _count(rest: list[Word]) -> int | None:
    if not rest:
        return None
    if len(rest) > 1:
        raise Mistake(f"'{rest[1].text}' is one word too many", rest[1].offset)
    try:
        return units.whole(rest[0].text)
    except Mistake as mistake:
        raise Mistake(mistake.message, rest[0].offset) from mistake


def _state(kind: SubjectKind, first: Word, rest: list[Word]) -> StateClaim:
    if first.text != "none" and kind not in ("tunnel", "node"):
        raise Mistake(
            f"'{first.text}' is said of a tunnel or a node; write for example  {_EXAMPLES[kind]}",
            first.offset,
        )
    if first.text == "none" and kind in ("tunnel", "traffic", "node"):
        wanted = {"tunnel": "down", "traffic": "received 0"}.get(kind, _EXAMPLES[kind])
        raise Mistake(f"'none' is said of packets, drops and leaks; write  {wanted}", first.offset)
    state: Literal["up", "down", "none"] = (
        "up" if first.text == "up" else "down" if first.text == "down" else "none"
    )
    return StateClaim(state, _count(rest))


def _comparison(words: list[Word]) -> tuple[Comparison | None, list[Word]]:
    """The comparison that the words begin with, and what is left."""
    two = " ".join(word.text for word in words[:2])
    if two in _COMPARISONS:
        return _COMPARISONS[two], words[2:]
    if words and words[0].text in _COMPARISONS:
        return _COMPARISONS[words[0].text], words[1:]
    match = _SYMBOL.match(words[0].text) if words else None
    if match is not None:
        rest = Word(match[2], words[0].offset + match.start(2))
        return _COMPARISONS[match[1]], [rest, *words[1:]]
    return None, words


def _measure(kind: SubjectKind, words: list[Word]) -> MeasureClaim:
    known = MEASURES[kind]
    measure = ""
    comparison, left = _comparison(words)
    if comparison is None and words[0].text[:1].isalpha():
        measure = words[0].text
        if measure not in known:
            options = [*filter(None, known), *(("up", "down") if kind == "tunnel" else ())]
            hint = did_you_mean(measure, options)
            raise Mistake(f"'{measure}' is no measure of this{hint}", words[0].offset)
        comparison, left = _comparison(words[1:])
    if measure not in known:
        raise Mistake(f"say what is measured; write for example  {_EXAMPLES[kind]}", words[0].offset)
    if not left:
        after = words[-1]
        raise Mistake(f"a value is missing; write for example  {_EXAMPLES[kind]}", after.offset)
    value_word = Word(" ".join(word.text for word in left), left[0].offset)
    try:
        value, unit = _value(value_word.text, known[measure])
    except Mistake as mistake:
        raise Mistake(mistake.message, value_word.offset) from mistake
    return MeasureClaim(measure, comparison or "equal", value, unit)


def _value(text: str, unit: Unit) -> tuple[int | float, Literal["", "ns", "B", "bit/s", "%"]]:
    match unit:
        case "time":
            return units.duration(text), "ns"
        case "size":
            return units.size(text), "B"
        case "rate":
            return units.rate(text), "bit/s"
        case "%":
            return units.percentage(text), "%"
        case "number or %" if text.endswith("%"):
            return units.percentage(text), "%"
        case _:
            return units.whole(text), ""
