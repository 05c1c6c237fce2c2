import pytest

from ipsecsim.base.errors import Place
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.sentence import Sentence, parse, quote
from ipsecsim.scenario.tree import Text


def sentence(text: str) -> Sentence:
    return parse(Text(text, Place("file")))


def test_words_and_pairs_come_apart_with_their_places():
    made = sentence("ping alice  bob count=3 port=500|4500 size>=1400")
    assert [(word.text, word.offset) for word in made.words] == [("ping", 0), ("alice", 5), ("bob", 12)]
    count, port, size = made.pairs
    assert (count.key.text, count.operator, count.value.text, count.value.offset) == ("count", "=", "3", 22)
    assert [(word.text, word.offset) for word in port.values] == [("500", 29), ("4500", 33)]
    assert (size.operator, size.value.text) == (">=", "1400")


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">="])
def test_every_operator_is_known(operator):
    assert sentence(f"size{operator}7").pairs[0].operator == operator


def test_quotes_hold_blanks_and_bars_together():
    assert sentence('name="a b|c"').pairs[0].value.text == "a b|c"
    assert sentence('note "a = b"').words[1].text == "a = b"


@pytest.mark.parametrize("text", ["plain", "two words", "a|b", ""])
def test_a_quoted_word_reads_back(text):
    assert sentence(f"key={quote(text)}").pairs[0].value.text == text


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("ping a b count = 3", 15, "no blank stands around '='"),
        ("ping a b count=", 14, "no blank stands around '='"),
        ("port=500,4500", 5, "'any of' is written 500|4500"),
        ("port=500|", 9, "an alternative is missing beside '|'"),
        ("a=1 a=2", 4, "'a' stands here twice"),
        ('name="x', 5, "this quote is never closed"),
        ("ä=1", 0, "'ä' is no key"),
    ],
)
def test_a_mistake_stands_under_its_token(text, offset, message):
    with pytest.raises(Mistake) as caught:
        sentence(text)
    assert caught.value.message.startswith(message)
    assert caught.value.offset == offset
