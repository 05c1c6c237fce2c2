"""The one sentence grammar: words and key=value, for actions, rules, selections, routes and burst loss.

`key=a|b` is any of, `a-b` a range where the key counts something, `!= < <= > >=` compare, and quotes hold
blanks together. Nothing stands around an operator.
"""

import re
from dataclasses import dataclass
from typing import Literal

from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.tree import Text

Operator = Literal["=", "!=", "<", "<=", ">", ">="]

_OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


@dataclass(frozen=True, slots=True)
class Word:
    """One word, and where it stands in the sentence."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Pair:
    """One `key=value`: any of `values`, each with its own place."""

    key: Word
    operator: Operator
    values: tuple[Word, ...]

    @property
    def value(self) -> Word:
        """The only value. Raises Mistake when there are several."""
        if len(self.values) > 1:
            raise Mistake(f"'{self.key.text}' takes one value", self.values[1].offset)
        return self.values[0]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence taken apart. `source` knows where it stands in the file."""

    words: tuple[Word, ...]
    pairs: tuple[Pair, ...]
    source: Text

    @property
    def text(self) -> str:
        """The whole sentence."""
        return self.source.value


def parse(source: Text) -> Sentence:
    """The words and pairs of a sentence. Raises Mistake with the offset of the part that is wrong."""
    words: list[Word] = []
    pairs: list[Pair] = []
    seen: set[tuple[str, str]] = set()
    for token in _tokens(source.value):
        pair = _pair(token)
        if pair is None:
            words.append(Word(_unquote(token.text), token.offset))
            continue
        if (pair.key.text, pair.operator) in seen:
            raise Mistake(f"'{pair.key.text}' stands here twice; 'any of' is written a|b", pair.key.offset)
        seen.add((pair.key.text, pair.operator))
        pairs.append(pair)
    return Sentence(tuple(words), tuple(pairs), source)


def quote(text: str) -> str:
    """`text` as one word of a sentence."""
    return f'"{text}"' if re.search(r"[\s|\"]", text) or not text else text


def _tokens(text: str) -> list[Word]:
    """Blank-separated parts; a quoted part may hold blanks."""
    tokens: list[Word] = []
    start: int | None = None
    quoted_from: int | None = None
    for index, character in enumerate(text):
        if quoted_from is not None:
            if character == '"':
                quoted_from = None
            continue
        if character.isspace():
            if start is not None:
                tokens.append(Word(text[start:index], start))
                start = None
            continue
        if start is None:
            start = index
        if character == '"':
            quoted_from = index
    if quoted_from is not None:
        raise Mistake("this quote is never closed", quoted_from)
    if start is not None:
        tokens.append(Word(text[start:], start))
    return tokens


ARROWS = ("->", "=>", "-->")  # what people put between FROM and TO


def _pair(token: Word) -> Pair | None:
    """`key=value` taken apart, or None for a plain word."""
    if token.text.startswith('"'):
        return None
    found = _OPERATOR.search(token.text)
    if found is None:
        return None
    key, value = token.text[: found.start()], token.text[found.end() :]
    if token.text in ARROWS:
        raise Mistake(
            f"leave '{token.text}' out: the order of the two names says the direction", token.offset
        )
    if not key or not value:
        raise Mistake(
            f"no blank stands around '{found[0]}': write key{found[0]}value", token.offset + found.start()
        )
    if not _KEY.fullmatch(key):
        raise Mistake(f"'{key}' is no key; a key is letters, digits and _", token.offset)
    operator: Operator = found[0]  # type: ignore[assignment]  # the expression matches no other text
    return Pair(Word(key, token.offset), operator, _alternatives(value, token.offset + found.end()))


def _alternatives(value: str, offset: int) -> tuple[Word, ...]:
    words: list[Word] = []
    start = 0
    quoted = False
    for index, character in enumerate(value + "|"):
        if character == '"':
            quoted = not quoted
        if character != "|" or quoted:
            continue
        part = value[start:index]
        if not part:
            raise Mistake("an alternative is missing beside '|'", offset + start)
        if "," in part and not part.startswith('"'):
            raise Mistake(f"'any of' is written {value.replace(',', '|')}", offset)
        words.append(Word(_unquote(part), offset + start))
        start = index + 1
    return tuple(words)


def _unquote(text: str) -> str:
    if '"' not in text:
        return text
    if len(text) >= 2 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        return text[1:-1]
    raise Mistake("quotes stand around a whole word or value")
