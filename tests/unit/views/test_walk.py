"""A walk answers each line with a page, and simulates no further than somebody looks."""

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.scenario import read
from ipsecsim.views.walk import COMMANDS, Walk


def walk_in(name: str) -> tuple[Run, Walk]:
    run = Run(read(name))
    return run, Walk(run)


def said(walk: Walk, line: str) -> str:
    page = walk.answer(line)
    assert page is not None
    return page


def test_a_step_simulates_one_turn_and_no_more():
    run, walk = walk_in("behind_nat")
    assert run.turns == 0
    assert said(walk, "n").startswith(
        "turn 1   0.000000 s   alice   the script speaks\n  alice sends ping 1 to bob."
    )
    assert run.turns == 1
    said(walk, "")
    assert run.turns == 2


def test_a_page_says_what_came_why_and_what_each_check_saw():
    _, walk = walk_in("behind_nat")
    page = said(walk, "g 17")
    assert page.splitlines()[0] == (
        "turn 17   0.056200 s   east   got ESP seq 1 (UDP 4500 > 4500, 148 B), packet 6, from internet"
    )
    assert "east checks the seal, opens the packet, and sends ping 1 on to bob.   [RFC 4303 3.4]" in page
    assert "    + verify ICV        the seal holds" in page
    assert "    ^ east sas in 3ded7ac4 sequence: 0 > 1" in page


def test_going_back_and_on_again_shows_the_same_page():
    _, walk = walk_in("behind_nat")
    page = said(walk, "g 9")
    said(walk, "n 5")
    assert said(walk, "b 5") == page
    assert said(walk, "b 100") == "before the first turn"


def test_at_the_end_it_says_so_and_knows_how_many_turns_there_are():
    run, walk = walk_in("site_to_site")
    assert said(walk, "g end").startswith("turn 11 of 11 ")
    assert said(walk, "n") == "the run ends here, after turn 11"
    assert run.turns == 11


@pytest.mark.parametrize(
    ("line", "turn"),
    [("d", 6), ("a", 3), ("N", 5), ("s", 1), ("/layer=ah link=outside", 5), ("/size>2000", None)],
)
def test_the_next_turn_of_a_kind_is_found(line, turn):
    _, walk = walk_in("ah_meets_nat")
    page = said(walk, line)
    assert page.startswith(f"turn {turn} " if turn else "no packet after turn 0 fits")


def test_nothing_found_leaves_one_where_one_was():
    _, walk = walk_in("ah_meets_nat")
    page = said(walk, "g 4")
    assert said(walk, "i") == "no more of that after turn 4"
    assert said(walk, "b 0").replace(" of 17", "") == page


def test_why_answers_for_the_drop_of_this_turn():
    _, walk = walk_in("ah_meets_nat")
    assert "reason    AH_ICV_FAIL" in said(walk, "d")
    assert said(walk, "w").startswith("AH_ICV_NAT ")
    assert "alice" in said(walk, "w ping alice bob")


def test_packets_are_shown_with_all_keys_and_a_node_with_what_it_knows():
    _, walk = walk_in("site_to_site")
    assert said(walk, "p").startswith("nothing has happened yet")
    said(walk, "e")
    page = said(walk, "p")
    assert "ESP" in page
    assert "ECHO, sequence 1" in page
    assert "state: ESTABLISHED" in said(walk, "s west")
    assert "west sas out" in said(walk, "c")


@pytest.mark.parametrize(
    "line", ["x", "g", "g abc", "g -1", "n x", "s nobody", "/zap=1", "/layer=zap", "w nobody", "?"]
)
def test_a_mistake_is_answered_by_a_sentence(line):
    _, walk = walk_in("site_to_site")
    assert said(walk, line)


def test_the_help_names_every_command_and_q_ends():
    _, walk = walk_in("site_to_site")
    assert [line.split()[0][0] for line in said(walk, "?").splitlines()] == list(COMMANDS)
    assert walk.answer("q") is None
