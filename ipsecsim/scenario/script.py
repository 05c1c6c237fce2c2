"""One sentence of the script, read: its verb's row says what may stand in it, and makes actions of it."""

from ipsecsim.scenario.model_script import ScriptAction
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.not_yet import VERBS_LATER
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.selection import ON_PATH, conditions
from ipsecsim.scenario.sentence import Pair, Sentence, Word, parse
from ipsecsim.scenario.swanctl.parse import NotYet
from ipsecsim.scenario.tree import Text
from ipsecsim.scenario.verbs import SCRIPT_VERBS
from ipsecsim.scenario.verbs.verb import FROM_TO, Options, Verb

TRAFFIC = tuple(verb for verb, row in SCRIPT_VERBS.items() if row.words == FROM_TO)
"""The verbs that make traffic."""


def read_action(source: Text, names: Names) -> list[ScriptAction]:
    """The actions one sentence asks for: several, when a name stands for several nodes.

    Raises Mistake, or NotYet.
    """
    sentence = _note(source) or parse(source)
    if not sentence.words:
        raise Mistake("a sentence begins with a verb; write for example  ping alice bob")
    word = sentence.words[0]
    verb = SCRIPT_VERBS.get(word.text)
    if verb is None:
        raise Mistake(f"unknown verb '{word.text}'{did_you_mean(word.text, SCRIPT_VERBS)}", word.offset)
    _check_words(sentence, verb, names)
    options = _options(sentence, verb, word.text, names)
    if verb.read is None or word.text in VERBS_LATER:
        raise NotYet(f"the script verb '{word.text}'", word.offset)
    return list(verb.read(sentence, options, names))


def traffic_name(source: Text) -> str | None:
    """The name= a sentence gives its traffic, if it is one that can be parsed."""
    try:
        pairs = parse(source).pairs
    except Mistake:
        return None
    return next((pair.values[0].text for pair in pairs if pair.key.text == "name"), None)


def _note(source: Text) -> Sentence | None:
    """A note is no sentence of ours: all behind its verb is one word."""
    first, _, rest = source.value.strip().partition(" ")
    if first != "note":
        return None
    if not rest.strip():
        raise Mistake("a note needs words; write  note now the link fails")
    return Sentence((Word(first, 0), Word(rest.strip(), len(first) + 1)), (), source)


def _check_words(sentence: Sentence, verb: Verb, names: Names) -> None:
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


def _check_interface(node: Word, interface: Word, names: Names) -> None:
    known = names.nodes[names.node(node)].map("interfaces")
    if known is not None and interface.text not in known.entries:
        words = ", ".join(sorted(known.entries))
        raise Mistake(f"{node.text} has no interface '{interface.text}'; known: {words}", interface.offset)


def _options(sentence: Sentence, verb: Verb, word: str, names: Names) -> Options:
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
        conditions(selectors, {**ON_PATH, **dict.fromkeys(verb.options, lambda *_: None)}, f"'{word}'", names)
    return values
