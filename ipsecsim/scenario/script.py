"""What can happen: the script's verbs, their words and options, and the reading of one sentence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ipsecsim.base.errors import Place
from ipsecsim.scenario import units
from ipsecsim.scenario.kinds import name as read_name
from ipsecsim.scenario.model import Initiate, Note, Ping, Reauth, Rekey, Roam, ScriptAction, Send, Terminate
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.not_yet import VERBS_LATER
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.selection import RECORDED, conditions
from ipsecsim.scenario.sentence import Pair, Sentence, Word, parse, quote
from ipsecsim.scenario.swanctl.parse import NotYet
from ipsecsim.scenario.tree import Text

Option = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb. `words` say what stands after it; with `selects` packet selectors may follow too."""

    words: tuple[str, ...]
    options: Mapping[str, Option]
    example: str
    selects: bool = False

    def runs(self, word: str) -> bool:
        """True when somebody performs it already."""
        return word not in VERBS_LATER


def _count(text: str) -> int:
    return units.whole(text, 1, 1_000_000)


def _port(text: str) -> int:
    return units.whole(text, 1, 65535)


def _data_size(text: str) -> int:
    size = units.size(text)
    if size > 65507:
        raise Mistake(f"'{text}' does not fit into one IP packet; at most 65507")
    return size


def _rate(text: str) -> float:
    """A packet rate, '10000/s'."""
    if not text.endswith("/s") or not text[:-2].isdigit():
        raise Mistake(f"'{text}' is no packet rate; write for example 100/s")
    return float(text[:-2])


def _version(text: str) -> int:
    """An IP version."""
    return int(str(_words("4", "6")(text)))


def _words(*known: str) -> Option:
    def read(text: str) -> str:
        if text not in known:
            raise Mistake(f"unknown word '{text}'{did_you_mean(text, known)}")
        return text

    return read


_NAME = {"name": read_name}
_FROM_TO = ("FROM", "TO")
_ADVERSARY = {"count": _count, "rate": _rate}

SCRIPT_VERBS: dict[str, Verb] = {
    "ping": Verb(
        _FROM_TO,
        {
            "count": _count,
            "size": _data_size,
            "interval": units.duration,
            "df": units.yes_no,
            "dscp": units.dscp,
            "ip": _version,
            **_NAME,
        },
        "ping alice bob count=3",
    ),
    "send": Verb(
        _FROM_TO,
        {
            "proto": _words("udp"),
            "dport": _port,
            "sport": _port,
            "size": _data_size,
            "dscp": units.dscp,
            "ip": _version,
            **_NAME,
        },
        "send alice bob dport=9 size=100",
    ),
    "flow": Verb(
        _FROM_TO,
        {
            "rate": units.rate,
            "size": _data_size,
            "interval": units.duration,
            "duration": units.duration,
            "kind": _words("constant", "poisson", "on_off"),
            "dport": _port,
            "count": _count,
            **_NAME,
        },
        "flow alice bob rate=1mbit duration=10s",
    ),
    "voice": Verb(
        _FROM_TO,
        {"codec": _words("g711", "g729"), "duration": units.duration, **_NAME},
        "voice alice bob codec=g729 duration=60s",
    ),
    "bulk": Verb(_FROM_TO, {"size": units.size, **_NAME}, "bulk alice bob size=1MB"),
    "web": Verb(_FROM_TO, {"size": units.size, "count": _count, **_NAME}, "web alice bob"),
    "dns": Verb(_FROM_TO, {"count": _count, **_NAME}, "dns alice bob"),
    "trace": Verb(_FROM_TO, {"size": _data_size, "df": units.yes_no, **_NAME}, "trace alice bob"),
    "initiate": Verb(("TUNNEL",), {}, "initiate net"),
    "terminate": Verb(("TUNNEL",), {}, "terminate net"),
    "rekey": Verb(("TUNNEL",), {"sa": _words("child", "ike")}, "rekey net sa=ike"),
    "reauth": Verb(("TUNNEL",), {}, "reauth net"),
    "roam": Verb(
        ("NODE", "INTERFACE"),
        {"gap": units.duration, "overlap": units.duration},
        "roam carol lte overlap=2s",
    ),
    "crash": Verb(("NODE",), {}, "crash west"),
    "restart": Verb(("NODE",), {}, "restart west"),
    "reboot": Verb(("NODE",), {}, "reboot home"),
    "flush": Verb(("NODE",), {}, "flush west"),
    "set": Verb(("PATH", "VALUE"), {}, "set links.wan.delay 50ms"),
    "note": Verb(("WORDS",), {}, "note now the link fails"),
    "replay": Verb(("NODE",), _ADVERSARY, "replay mallory layer=esp count=10", selects=True),
    "flip": Verb(("NODE",), _ADVERSARY, "flip mallory layer=esp", selects=True),
    "drop": Verb(("NODE",), _ADVERSARY, "drop mallory layer=ike", selects=True),
    "inject": Verb(
        ("NODE",), {**_ADVERSARY, "seq": units.whole}, "inject mallory layer=esp seq=9", selects=True
    ),
    "flood": Verb(("NODE", "TO"), _ADVERSARY, "flood mallory east rate=10000/s", selects=True),
}
"""Every verb of the language. Which of them do not run yet stands in `not_yet`."""

TRAFFIC = tuple(verb for verb, row in SCRIPT_VERBS.items() if row.words == _FROM_TO)


def read_action(source: Text, names: Names, check_path: Callable[[str], str | None]) -> list[ScriptAction]:
    """The actions one sentence asks for: several, when a name stands for several nodes.

    `check_path` says what is wrong with a path of `set`, or None. Raises Mistake, or NotYet.
    """
    first, _, rest = source.value.strip().partition(" ")
    if first == "note":
        words = rest.strip()
        if not words:
            raise Mistake("a note needs words; write  note now the link fails")
        return [Note(words, f"note {words}", source.place)]
    sentence = parse(source)
    if not sentence.words:
        raise Mistake("a sentence begins with a verb; write for example  ping alice bob")
    word = sentence.words[0]
    verb = SCRIPT_VERBS.get(word.text)
    if verb is None:
        raise Mistake(f"unknown verb '{word.text}'{did_you_mean(word.text, SCRIPT_VERBS)}", word.offset)
    _check_words(sentence, verb, names, check_path)
    options = _options(sentence, verb, word.text, names)
    if not verb.runs(word.text):
        raise NotYet(f"the script verb '{word.text}'", word.offset)
    if "TUNNEL" in verb.words:
        return list(_tunnel_actions(sentence, options, names))
    if word.text == "roam":
        return [_roam(sentence, options, names)]
    return list(_traffic(sentence, options, names))


def traffic_name(source: Text) -> str | None:
    """The name= a sentence gives its traffic, if it is one that can be parsed."""
    try:
        pairs = parse(source).pairs
    except Mistake:
        return None
    return next((pair.values[0].text for pair in pairs if pair.key.text == "name"), None)


def _check_words(
    sentence: Sentence, verb: Verb, names: Names, check_path: Callable[[str], str | None]
) -> None:
    word, *given = sentence.words
    if len(given) != len(verb.words):
        wanted = " and ".join(verb.words)
        message = f"'{word.text}' takes {wanted}; write for example  {verb.example}"
        extra = given[len(verb.words)] if len(given) > len(verb.words) else None
        raise Mistake(message, word.offset if extra is None else extra.offset)
    for slot, one in zip(verb.words, given, strict=True):
        if slot in ("FROM", "TO", "NODE"):
            names.members(one)
        elif slot == "TUNNEL":
            names.find_tunnels(one)
        elif slot == "INTERFACE":
            _check_interface(given[0], one, names)
        elif slot == "PATH":
            problem = check_path(one.text)
            if problem is not None:
                raise Mistake(problem, one.offset)


def _check_interface(node: Word, interface: Word, names: Names) -> None:
    known = names.nodes[names.node(node)].map("interfaces")
    if known is not None and interface.text not in known.entries:
        words = ", ".join(sorted(known.entries))
        raise Mistake(f"{node.text} has no interface '{interface.text}'; known: {words}", interface.offset)


def _options(sentence: Sentence, verb: Verb, word: str, names: Names) -> dict[str, object]:
    """The options by key, each read. Packet selectors are checked and left out."""
    values: dict[str, object] = {}
    selectors: list[Pair] = []
    for pair in sentence.pairs:
        read = verb.options.get(pair.key.text)
        if read is None:
            if not verb.selects:
                hint = did_you_mean(pair.key.text, verb.options)
                raise Mistake(f"'{word}' has no '{pair.key.text}'{hint}", pair.key.offset)
            selectors.append(pair)
            continue
        if pair.operator != "=":
            raise Mistake(f"'{pair.key.text}' is given with =", pair.key.offset)
        value = pair.value
        try:
            values[pair.key.text] = read(value.text)
        except Mistake as mistake:
            raise Mistake(mistake.message, value.offset) from mistake
    if selectors:
        conditions(
            selectors, {**RECORDED, **dict.fromkeys(verb.options, lambda *_: None)}, f"'{word}'", names
        )
    return values


def _pairs_of(first: Word, second: Word, names: Names) -> Iterator[tuple[str, str]]:
    """Which goes with which: equal counts pair, one fans out. Raises Mistake."""
    ones, others = names.members(first), names.members(second)
    if len(ones) != len(others) and 1 not in (len(ones), len(others)):
        raise Mistake(
            f"'{first.text}' is {len(ones)} and '{second.text}' {len(others)} nodes; "
            "counts must be equal, or 1",
            first.offset,
        )
    pairs = [(ones[i % len(ones)], others[i % len(others)]) for i in range(max(len(ones), len(others)))]
    # Fanned out, a node does not send to itself; alone it may, if that is what somebody wrote.
    yield from pairs if len(pairs) == 1 else [(one, other) for one, other in pairs if one != other]


def _traffic(sentence: Sentence, options: Mapping[str, object], names: Names) -> Iterator[ScriptAction]:
    verb, first, second = sentence.words
    written = [f"{pair.key.text}={quote(pair.values[0].text)}" for pair in sentence.pairs]
    label = str(options.get("name", verb.text))
    for source, to in _pairs_of(first, second, names):
        text = " ".join([verb.text, source, to, *written])
        place = sentence.source.place
        if verb.text == "ping":
            yield _ping(source, to, options, label, text, place)
        else:
            yield _send(source, to, options, label, text, place)


def _ping(source: str, to: str, options: Mapping[str, object], label: str, text: str, place: Place) -> Ping:
    return Ping(
        source,
        to,
        count=_number(options, "count", 1),
        size=_number(options, "size", 56),
        interval=_number(options, "interval", units.TIME["s"]),
        df=bool(options.get("df", False)),
        dscp=_number(options, "dscp", 0),
        ip=_number(options, "ip", 0) or None,
        name=label,
        text=text,
        place=place,
    )


def _send(source: str, to: str, options: Mapping[str, object], label: str, text: str, place: Place) -> Send:
    return Send(
        source,
        to,
        proto=str(options.get("proto", "udp")),
        dport=_number(options, "dport", 9),
        sport=_number(options, "sport", 0) or None,
        size=_number(options, "size", 64),
        dscp=_number(options, "dscp", 0),
        ip=_number(options, "ip", 0) or None,
        name=label,
        text=text,
        place=place,
    )


def _number(options: Mapping[str, object], key: str, default: int) -> int:
    value = options.get(key, default)
    assert isinstance(value, int)  # noqa: S101  # the option's reader made it
    return value


def _tunnel_actions(
    sentence: Sentence, options: Mapping[str, object], names: Names
) -> Iterator[ScriptAction]:
    verb, word = sentence.words
    for name in names.find_tunnels(word):
        tunnel = names.tunnels[name]
        if tunnel.is_keyed:
            raise Mistake(
                f"the keys of tunnel '{name}' come by hand and are there all the time: nothing to {verb.text}",
                word.offset,
            )
        place = sentence.source.place
        for number, child in enumerate(tunnel.children):
            about = (name, tunnel.node, tunnel.connection, child)
            if verb.text == "initiate":
                yield Initiate(*about, f"initiate {name}", place)
            elif verb.text == "terminate":
                yield Terminate(*about, f"terminate {name}", place)
            elif verb.text == "reauth":
                if number == 0:  # its children have one IKE SA
                    yield Reauth(*about, f"reauth {name}", place)
            elif options.get("sa") != "ike":
                yield Rekey(*about, "child", f"rekey {name}", place)
            elif number == 0:
                yield Rekey(*about, "ike", f"rekey {name} sa=ike", place)


def _roam(sentence: Sentence, options: Mapping[str, object], names: Names) -> Roam:
    _, node, interface = sentence.words
    gap, overlap = _number(options, "gap", 0), _number(options, "overlap", 0)
    if gap and overlap:
        raise Mistake(
            "the old interface goes before the new one comes (gap=) or after it (overlap=), not both"
        )
    return Roam(names.node(node), interface.text, gap, overlap, sentence.source.value, sentence.source.place)
