"""The `key=value` words that select packets: which there are, where each may stand, and what it may say."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping

from ipsecsim.ipsec.selector import ANY_PORT
from ipsecsim.scenario import reasons, units
from ipsecsim.scenario.matching import ICMP_KINDS, number_ranges
from ipsecsim.scenario.model import Condition
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.sentence import Pair, Sentence, Word, parse
from ipsecsim.scenario.swanctl.parse import NotYet
from ipsecsim.scenario.swanctl.values import PROTOCOLS
from ipsecsim.scenario.tree import Text
from ipsecsim.wire.ike.numbers import ExchangeType

Check = Callable[[Word, Names], object]
Range = tuple[int, int]

LAYERS = ("ipv4", "ipv6", "icmp", "icmpv6", "udp", "tcp", "esp", "ah", "ike", "keepalive", "fragment")


def _of(*known: str) -> Check:
    def check(word: Word, _: Names) -> None:
        if word.text not in known:
            raise Mistake(f"unknown word '{word.text}'{did_you_mean(word.text, known)}", word.offset)

    return check


def _range(read: Callable[[str], int], what: str = "") -> Check:
    """A value, or two with '-' between them, of `what`."""

    def check(word: Word, _: Names) -> None:
        try:
            ends = [read(part) for part in word.text.split("-", 1)]
        except Mistake as mistake:
            raise Mistake(mistake.message, word.offset) from mistake
        if ends[0] > ends[-1]:
            raise Mistake(f"the {what}range '{word.text}' is upside down", word.offset)

    return check


def _protocol(word: Word, _: Names) -> None:
    if word.text in LAYERS and word.text not in PROTOCOLS:
        raise Mistake(
            f"proto= is the IP protocol field, and '{word.text}' is none; write layer={word.text}",
            word.offset,
        )
    if word.text not in PROTOCOLS and not word.text.isdigit():
        hint = did_you_mean(word.text, PROTOCOLS)
        raise Mistake(f"unknown protocol '{word.text}'{hint}", word.offset)


def _where(word: Word, names: Names) -> None:
    """An address, a network, or a name that stands for one."""
    if word.text == "any" or names.find_nodes(word.text):
        return
    try:
        ipaddress.ip_network(word.text, strict=False)
    except ValueError:
        if word.text[:1].isdigit() or ":" in word.text:
            raise Mistake(f"'{word.text}' is no address", word.offset) from None
        names.members(word)


def _hexadecimal(word: Word, _: Names) -> None:
    digits = word.text.lower().removeprefix("0x")
    if not digits or set(digits) - set("0123456789abcdef") or len(digits) > 8:
        raise Mistake(f"'{word.text}' is no SPI; write for example c0a1f00d", word.offset)


def _reason(word: Word, _: Names) -> None:
    try:
        reasons.drop_reason(word.text)
    except NotYet as later:
        raise NotYet(later.message, word.offset) from later
    except Mistake as mistake:
        raise Mistake(mistake.message, word.offset) from mistake


def _icmp(word: Word, names: Names) -> None:
    """A kind of message by name, or type, or type/code, in numbers."""
    kind, _, code = word.text.partition("/")
    if kind.isdigit() and (not code or code.isdigit()):
        try:
            for number in (kind, code or "0"):
                units.whole(number, 0, 255)
        except Mistake as mistake:
            raise Mistake(mistake.message, word.offset) from mistake
    else:
        _of(*ICMP_KINDS)(word, names)


def _any(_word: Word, _names: Names) -> None:
    """Anything: names of interfaces, and of traffic that may come later."""


_PORT = _range(lambda text: units.whole(text, 0, 65535), "port ")

PACKET: dict[str, Check] = {
    "src": _where,
    "dst": _where,
    "proto": _protocol,
    "sport": _PORT,
    "dport": _PORT,
    "port": _PORT,
    "icmp": _icmp,
    "size": _range(units.size),
    "dscp": _range(units.dscp),
}
"""What can be read off a packet by anybody."""

COUNTS = ("sport", "dport", "port", "size", "dscp", "turn", "at", "packet")
"""Keys whose values are numbers, so that one can be less than another."""

NODE_KEYS = ("node", "from", "to", "src", "dst")
"""Keys whose values name nodes."""

RULE: dict[str, Check] = {**PACKET, "in": _any, "out": _any, "state": _of("new", "established", "related")}
"""What a firewall could know."""

SPD: dict[str, Check] = {
    **{key: PACKET[key] for key in ("src", "dst", "proto", "sport", "dport", "port")},
    "icmp": PACKET["icmp"],
    "dir": _of("in", "out"),
    "sa": _any,
    "mode": _of("tunnel", "transport"),
    "tunnel": _any,
}
"""What RFC 4301 4.4.1.1 selects by, and what protects."""

SHOWN: dict[str, Check] = {**PACKET, "layer": _of(*LAYERS), "spi": _hexadecimal}
"""What any header in clear shows, to whoever looks closely: an attacker, or a recording."""

ON_PATH: dict[str, Check] = {**SHOWN, "link": lambda word, names: names.link(word)}
"""What somebody on the path can choose by."""

RECORDED: dict[str, Check] = {
    **ON_PATH,
    "node": lambda word, names: names.members(word),
    "packet": _range(units.whole),
    "turn": _range(units.whole),
    "at": _range(units.duration),
    "flow": _any,
    "exchange": _of(*ExchangeType.__members__),
    "reason": _reason,
}
"""What a recording knows besides."""


def conditions(
    pairs: Iterable[Pair], known: Mapping[str, Check], subject: str, names: Names
) -> tuple[Condition, ...]:
    """The pairs of a selection, each checked. Raises Mistake, or NotYet for a reason nobody gives yet."""
    made = []
    for pair in pairs:
        key = pair.key
        check = known.get(key.text)
        if check is None:
            if key.text in RECORDED and key.text not in RULE:
                raise Mistake(f"{subject} has no '{key.text}': only a recording knows that", key.offset)
            raise Mistake(f"{subject} has no '{key.text}'{did_you_mean(key.text, known)}", key.offset)
        for word in pair.values:
            check(word, names)
        _check_operator(pair)
        made.append(Condition(key.text, pair.operator, _values(pair, names)))
    return tuple(made)


def _check_operator(pair: Pair) -> None:
    """Less and more are for keys that count, and for one number."""
    if pair.operator in ("=", "!="):
        return
    key = pair.key.text
    if key not in COUNTS:
        raise Mistake(f"'{key}' is no number to compare; write {key}= or {key}!=", pair.key.offset)
    if "-" in pair.value.text:
        raise Mistake(f"a range goes with = or !=; write {key}={pair.value.text}", pair.value.offset)


def _values(pair: Pair, names: Names) -> tuple[str, ...]:
    """The values, with names of nodes and links worked out where those are meant."""
    values: list[str] = []
    for word in pair.values:
        members: tuple[str, ...] = ()
        if pair.key.text in NODE_KEYS:
            members = names.find_nodes(word.text)
        elif pair.key.text == "link":
            members = names.find_links(word.text)
        values += members or (word.text,)
    return tuple(values)


def check_rule(source: Text, names: Names) -> tuple[str, tuple[Condition, ...]]:
    """A firewall rule: its verdict and its selection. Raises Mistake."""
    return _check_sentence(source, ("accept", "drop", "reject"), RULE, "a rule", names)


def check_spd_rule(source: Text, names: Names) -> None:
    """An SPD rule: protect, bypass or discard, and a selection. Raises Mistake."""
    _check_sentence(source, ("protect", "bypass", "discard"), SPD, "an SPD rule", names)


def check_recorded(source: Text, names: Names) -> tuple[Condition, ...]:
    """What somebody looks for in a recording. Raises Mistake."""
    return conditions(_only_pairs(source, "a selection").pairs, RECORDED, "a selection", names)


def check_exemption(source: Text, names: Names) -> tuple[Condition, ...]:
    """What a NAT leaves alone, by all that a packet can be known by. Raises Mistake."""
    return conditions(_only_pairs(source, "an exemption").pairs, PACKET, "an exemption", names)


def check_forward(source: Text, names: Names) -> None:
    """Ports led inside, an outside address led there, or the rest: a selection and `to=`. Raises Mistake."""
    sentence = _only_pairs(source, "a forward")
    known = {
        "proto": _protocol,
        "port": _PORT,
        "dst": _outside_address,
        "to": lambda word, names: names.node(word),
    }
    conditions(sentence.pairs, known, "a forward", names)
    given = {pair.key.text: pair for pair in sentence.pairs}
    for pair in sentence.pairs:
        _check_equals(pair, "a forward")
    if "to" not in given:
        raise Mistake("a forward needs to=; write proto=udp port=500|4500 to=server")
    _ = given["to"].value  # one node only
    if "dst" in given and len(given) > 2:
        other = next(pair for pair in sentence.pairs if pair.key.text in ("proto", "port"))
        raise Mistake(
            f"an outside address is led inside as a whole; leave {other.key.text}= out, or dst=",
            other.key.offset,
        )


def _outside_address(word: Word, _: Names) -> None:
    try:
        ipaddress.IPv4Address(word.text)
    except ValueError:
        raise Mistake(f"'{word.text}' is no IPv4 address", word.offset) from None


def _check_equals(pair: Pair, subject: str) -> None:
    if pair.operator != "=":
        raise Mistake(f"{subject} compares with = only", pair.key.offset)


def _check_sentence(
    source: Text, verdicts: tuple[str, ...], known: Mapping[str, Check], subject: str, names: Names
) -> tuple[str, tuple[Condition, ...]]:
    sentence = parse(source)
    if not sentence.words:
        raise Mistake(f"{subject} begins with {', '.join(verdicts[:-1])} or {verdicts[-1]}")
    _of(*verdicts)(sentence.words[0], names)
    if len(sentence.words) > 1:
        extra = sentence.words[1]
        raise Mistake(f"after the first word {subject} is key=value; '{extra.text}' is neither", extra.offset)
    return sentence.words[0].text, conditions(sentence.pairs, known, subject, names)


def _only_pairs(source: Text, subject: str) -> Sentence:
    sentence = parse(source)
    if sentence.words:
        word = sentence.words[0]
        raise Mistake(f"{subject} is key=value words; '{word.text}' is none", word.offset)
    return sentence


def protocols_of(pair: Pair | None) -> list[int]:
    """The numbers that a checked `proto=` names; 0 for any."""
    words = () if pair is None else pair.values
    return [first for word in words for first, _ in number_ranges("proto", word.text)]


def port_ranges(pair: Pair | None) -> list[Range]:
    """The ports that a checked `port=` names; without one, all."""
    if pair is None:
        return [ANY_PORT]
    return [each for word in pair.values for each in number_ranges(pair.key.text, word.text)]
