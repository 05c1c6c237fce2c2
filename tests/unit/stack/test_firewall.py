"""A firewall: the first rule that fits, answers, the default, fragments, and rules that change."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.stack.events import FirewallLogged, RulesChanged
from ipsecsim.stack.firewall import FRAGMENT_TIMEOUT, Firewall, Rule, Ruleset, Verdict
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.stack.match import Match, Numbers, State, Words
from ipsecsim.wire import ipv4, udp
from tests.unit.stack.test_conntrack import A, B, datagram, error, ping

FW_RULE, FW_STATE = DropReason.FW_RULE, DropReason.FW_STATE
ASKED, ANSWERED = datagram(), datagram(B, A, 2222, 1111)
UDP = Numbers("proto", ((17, 17),))
TO_2222 = Numbers("dport", ((2222, 2222),))


def rule(word: str, *conditions) -> Rule:
    return Rule(Verdict(word), Match(conditions), word)


def firewall(*rules: Rule, default: str = "drop", events=None, **options) -> Firewall:
    return Firewall(Ruleset(rules, Verdict(default), **options), None if events is None else events.append)


def passes(wall: Firewall, packet: bytes, now: int = 0, **way) -> DropReason | None:
    """None when it passes, else why not."""
    try:
        wall.check(packet, now, **way)
    except Refused as refused:
        return refused.reason
    return None


def test_the_first_rule_that_fits_decides():
    wall = firewall(rule("drop", TO_2222), rule("accept", UDP))
    assert passes(wall, ASKED) is FW_RULE
    assert passes(wall, datagram(to=2223)) is None
    wall = firewall(rule("accept", UDP), rule("drop", TO_2222))
    assert passes(wall, ASKED) is None


def test_without_a_rule_the_default_holds():
    assert passes(firewall(), ASKED) is FW_RULE
    assert passes(firewall(default="accept"), ASKED) is None
    with pytest.raises(Refused, match="default: drop"):
        firewall().check(ASKED, 0)


def test_answers_pass_and_what_nobody_asked_for_does_not():
    wall = firewall(rule("accept", TO_2222))
    assert passes(wall, ANSWERED) is FW_STATE, "before anybody asked"
    assert passes(wall, ASKED) is None
    assert passes(wall, ANSWERED) is None
    assert passes(wall, error(ASKED)) is None, "an error about it"
    assert passes(wall, datagram(B, A, 2222, 1112)) is FW_STATE, "a rule would let through what it answers"
    assert passes(wall, datagram(B, A, 9, 9)) is FW_RULE, "nothing of the kind"


def test_without_state_answers_need_a_rule_too():
    wall = firewall(rule("accept", TO_2222), stateful=False)
    assert passes(wall, ASKED) is None
    assert passes(wall, ANSWERED) is FW_RULE
    assert len(wall.connections) == 0


def test_a_rule_has_the_last_word_on_answers_too():
    wall = firewall(rule("drop", Numbers("sport", ((2222, 2222),))), rule("accept", TO_2222))
    assert passes(wall, ASKED) is None
    assert passes(wall, ANSWERED) is FW_RULE


def test_rules_may_ask_for_state_themselves():
    wall = firewall(
        rule("accept", Words("state", (State.ESTABLISHED, State.RELATED))),
        rule("accept", Words("in", ("lan",))),
        rule("drop"),
        stateful=False,
    )
    assert passes(wall, ANSWERED, inbound="wan", outbound="lan") is FW_RULE
    assert passes(wall, ASKED, inbound="lan", outbound="wan") is None
    assert passes(wall, ANSWERED, inbound="wan", outbound="lan") is None


def test_only_what_passed_can_be_answered():
    wall = firewall(rule("drop", TO_2222), rule("accept", Words("in", ("lan",))))
    assert passes(wall, ASKED, inbound="lan") is FW_RULE
    assert passes(wall, ANSWERED, inbound="wan") is FW_RULE


def test_a_default_that_accepts_needs_to_know_nothing():
    wall = firewall(rule("drop", TO_2222), default="accept")
    assert passes(wall, ping()) is None
    assert len(wall.connections) == 0


def test_reject_has_something_to_tell():
    for verdict, problem in (("reject", Problem.PROHIBITED), ("drop", None)):
        for wall in (firewall(rule(verdict)), firewall(default=verdict)):
            with pytest.raises(Refused) as refused:
                wall.check(ASKED, 0)
            assert refused.value.problem is problem


SEGMENT = udp.build(A, B, 1111, 2222, bytes(40))


def piece(start: int, end: int, *, identification: int = 7) -> bytes:
    more = end < len(SEGMENT)
    return ipv4.build(
        A,
        B,
        17,
        SEGMENT[start:end],
        fragment_offset=start,
        more_fragments=more,
        identification=identification,
    )


def test_later_fragments_go_the_way_of_the_first():
    wall = firewall(rule("accept", TO_2222))
    assert passes(wall, piece(16, 48)) is FW_RULE, "they come before it"
    assert passes(wall, piece(0, 16)) is None
    assert passes(wall, piece(16, 48)) is None
    assert passes(wall, piece(16, 48, identification=8)) is FW_RULE, "of another packet"
    assert passes(wall, piece(16, 48), FRAGMENT_TIMEOUT) is FW_RULE, "too late"


def test_later_fragments_of_what_was_dropped_are_dropped():
    wall = firewall(rule("drop", TO_2222), rule("accept", UDP))
    assert passes(wall, piece(0, 16)) is FW_RULE
    assert passes(wall, piece(16, 48)) is FW_RULE
    assert passes(wall, piece(16, 48, identification=8)) is None, "nothing in it says that it is not for 2223"


def test_without_state_later_fragments_are_judged_by_what_they_show():
    by_port = firewall(rule("accept", TO_2222), stateful=False)
    assert passes(by_port, piece(0, 16)) is None
    assert passes(by_port, piece(16, 48)) is FW_RULE
    assert passes(firewall(rule("accept", UDP), stateful=False), piece(16, 48)) is None


def test_other_rules_forget_what_the_old_ones_let_through():
    events: list[object] = []
    wall = firewall(rule("accept", TO_2222), events=events)
    passes(wall, ASKED)
    passes(wall, ANSWERED)
    passes(wall, piece(0, 16))
    wall.change(Ruleset((rule("accept", Words("in", ("lan",))),), Verdict.DROP))
    assert events[-1] == RulesChanged(1, "drop", 1)
    assert passes(wall, ASKED, SECOND, inbound="wan") is FW_RULE
    assert passes(wall, ANSWERED, SECOND, inbound="wan") is FW_RULE
    assert passes(wall, piece(16, 48), SECOND, inbound="wan") is FW_RULE
    assert passes(wall, ASKED, SECOND, inbound="lan") is None


def test_a_log_tells_what_was_not_accepted():
    events: list[object] = []
    wall = firewall(rule("accept", UDP), log=True, default="reject", events=events)
    passes(wall, ASKED)
    passes(wall, ping(), inbound="lan", outbound="wan")
    assert [event for event in events if isinstance(event, FirewallLogged)] == [
        FirewallLogged("reject", "default: reject", "lan", "wan", ping())
    ]
