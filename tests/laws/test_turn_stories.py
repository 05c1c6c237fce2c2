"""Every turn of every topology in the library has a story, and every drop reason a check that it belongs to."""

import re
from collections.abc import Iterator

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.telling import teller
from ipsecsim.experiment.trial import cases
from ipsecsim.observe.turn_story import TurnStory
from ipsecsim.observe.turn_story.drop_words import WHY
from ipsecsim.observe.turn_story.drops import CHECK
from ipsecsim.observe.turn_story.hooks import STOPS
from ipsecsim.scenario import names, read

MOST_WORDS = 17
NAMES = sorted(names())

pytestmark = pytest.mark.slow
_STORIES: dict[str, list[TurnStory]] = {}


def stories(name: str) -> list[TurnStory]:
    if name not in _STORIES:
        run = Run(read(name)).run()
        told = teller(run)
        _STORIES[name] = [told.tell(number) for number in range(1, run.turns + 1)]
    return _STORIES[name]


def everywhere() -> Iterator[tuple[str, TurnStory]]:
    return ((name, story) for name in NAMES for story in stories(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_turn_is_told_in_one_short_sentence_and_a_deeper_one_that_says_more(name):
    for story in stories(name):
        assert story.say.startswith((story.node, "The link ")), story
        assert story.say.endswith((".", "!", "?")) or story.verb == "notes", story
        assert story.verb == "notes" or len(story.say.split()) <= MOST_WORDS, story.say
        assert story.deeper, story
        assert story.deeper.endswith("."), story.deeper
        assert story.deeper != story.say
        assert not re.search(r"\bNone\b|[{}]|  ", story.say + story.deeper), story
        assert re.fullmatch(r"|RFC \d{3,4}( [A-D]?\d+(\.\d+)*)?", story.clause), story


@pytest.mark.parametrize("name", NAMES)
def test_every_drop_says_who_drops_what_and_why_and_which_check_it_was(name):
    for story in stories(name):
        assert (story.drop is not None) is ("drop" in story.kinds)
        if story.drop is not None:
            assert story.verb == "drops"
            assert re.fullmatch(r".+ drops .+: .+\.", story.say), story.say
            assert story.drop.hook == CHECK[DropReason[story.drop.code]]
            assert story.drop.clause == DropReason[story.drop.code].clause


@pytest.mark.parametrize("name", NAMES)
def test_after_the_check_that_failed_only_an_answer_is_sent(name):
    for story in stories(name):
        verdicts = [hook.verdict for hook in story.hooks]
        assert verdicts.count("fail") == (1 if story.drop is not None else 0), story
        if "unreached" in verdicts:
            assert verdicts.index("fail") < verdicts.index("unreached"), story
        if story.drop is not None:
            after = story.hooks[verdicts.index("fail") + 1 :]
            passed = [hook.name for hook in after if hook.verdict == "pass"]
            assert not passed or passed[-1] in ("send", "tell the sender"), story


ORDER = (
    *("make", "the link", "receive", "core", "IP header", "NAT, before routing", "reassembly", "destination"),
    *("filter: input", "SPD in", "UDP", "ICMP"),
    # RFC 4301 5.2: the SA, its window, the seal, the window moves, and only then what is inside, with its selectors
    *("SAD", "replay window", "verify ICV", "move the window", "contents", "selectors"),
    # RFC 7296 2: the header, whose SA, its place, the seal, the payloads, and what comes of them
    *("IKE header", "IKE SA", "message ID", "seal of the message", "payloads", "exchange"),
    *("UDP", "ICMP", "deliver"),  # in transport mode only what has been opened
    *("time to live", "route", "filter: forward", "SPD in", "filter: output"),
    # RFC 4301 5.1: policy, its SA, the length, the seal; a NAT that stands before it all is a mistake of its own
    *("NAT, after routing", "SPD out", "SA", "length", "seal", "send", "the link", "tell the sender"),
)
"""What is done to a packet at one node, first things first. A check stands twice where it is made twice."""


@pytest.mark.parametrize("name", NAMES)
def test_checks_are_told_in_the_order_in_which_they_are_made(name):
    for story in stories(name):
        left = iter(ORDER)
        told = [hook.name for hook in story.hooks]
        assert [each for each in told if each not in left] == [], (story.turn, told)


def test_a_checksum_in_transport_mode_is_looked_at_once_esp_is_off():
    runs = [case.run() for case in cases("esp_on_the_road")]
    told = [teller(run).tell(turn) for run in runs for turn in range(1, run.turns + 1)]
    (story,) = [each for each in told if each.drop is not None]
    assert story.drop.code == "UDP_CHECKSUM"
    seen = [(hook.name, hook.verdict) for hook in story.hooks if hook.name in ("verify ICV", "UDP")]
    assert seen == [("verify ICV", "pass"), ("UDP", "fail")]


def test_every_drop_reason_belongs_to_one_check_and_every_check_stands_on_a_way():
    assert set(CHECK) == set(WHY) == set(DropReason)
    assert len(set(WHY.values())) > len(WHY) - 5  # a sentence of its own, or nearly
    assert set(CHECK.values()) <= {stop.check for stop in STOPS}


@pytest.mark.parametrize(
    "name", ["behind_nat", "remote_access_nat", "roaming_without_mobike", "replay_attack"]
)
def test_what_is_said_of_a_turn_does_not_depend_on_what_comes_after_it(name):
    run = Run(read(name))
    told = teller(run)
    live = []
    while run.step(run.topology.until):
        live.append(told.tell(run.turns))
    assert live == stories(name)


def test_a_broken_seal_names_the_field_and_who_changed_it():
    dropped = next(each.drop for each in stories("ah_meets_nat") if each.drop is not None)
    assert dropped.culprit is not None
    assert (dropped.culprit.field, dropped.culprit.by) == ("source address", "box")
    assert dropped.culprit.turn < next(each.turn for each in stories("ah_meets_nat") if each.drop is not None)
    flipped = [each.drop.culprit for each in stories("bit_flip") if each.drop is not None]
    assert {each.by for each in flipped if each is not None} == {"mallory"}
    assert None not in flipped


def test_the_library_shows_every_verb_that_a_lecture_needs():
    said = {story.verb for _, story in everywhere()}
    assert said >= {
        "seals",
        "opens",
        "rewrites",
        "forwards",
        "answers",
        "accepts",
        "repeats",
        "drops",
        "holds",
    }
    assert said >= {"sends", "learns", "gives up", "keeps", "cuts", "crashes", "starts", "forgets"}
