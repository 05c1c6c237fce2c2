"""Lesson 7 stands on the engine: change one rule of AH, or one claim, and it fails in the right place."""

import hashlib
import hmac

import pytest

from ipsecsim import Lab, Lesson
from ipsecsim.base.errors import ConfigError
from tests.notebooks.running import FOLDER, execute

NOTEBOOK = FOLDER / "07_ah_meets_nat.ipynb"

MUTATED = """
from ipsecsim.ipsec import ah, mutable_fields

_right = mutable_fields.without_mutable_fields

def _mutated(header):
    changed = bytearray(_right(header))
    {change}
    return bytes(changed)

ah.without_mutable_fields = _mutated
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        "changed[12:16] = bytes(4)",  # the source address is not sealed
        "changed[8] = header[8]",  # the time to live is sealed
        "changed[4:6] = bytes(2)",  # the identification is not sealed
    ],
)
def test_one_changed_rule_of_ah_turns_it_red_where_the_students_own_icv_meets_the_engine(change):
    """Cells before it only show; the first that can tell is the one with the student's own function."""
    ran = execute(NOTEBOOK, prelude=MUTATED.format(change=change))
    assert "assert my_icv(a, key) == a[32:48]" in ran.failed


@pytest.mark.slow
def test_one_changed_claim_turns_it_red():
    prelude = "from ipsecsim.lab.lessons import files; files.claims(7)\n_read = files.claims\n"
    prelude += "def _changed(number):\n    found = _read(number)\n"
    prelude += "    found['outcome table']['value']['ip_id'] = ['pass', 'fail']\n    return found\n"
    ran = execute(NOTEBOOK, prelude=f"{prelude}files.claims = _changed")
    assert 'assert table == lesson.claim("outcome table")' in ran.failed


def test_wrong_answers_by_hand_are_those_that_the_text_names():
    known = bytes.fromhex(
        "4500004e1c4640004033e9e40a01000ac6336414060500000000100100000001ff6855dbdc10eeab"
        "aa883dfe53516ce29c400050000003e8000007d05018faf03b8d0000474554202f68656c6c6f"
    )
    zeroed = {
        "tos": (1, 2),
        "flags": (6, 8),
        "time to live": (8, 9),
        "header checksum": (10, 12),
        "ICV": (32, 48),
    }
    text = (FOLDER / "07_ah_meets_nat.py").read_text(encoding="utf-8")
    for left_out, begins in Lesson(7).claim("wrong answers").items():
        packet = bytearray(known)
        for name, (start, end) in zeroed.items():
            if name != left_out:
                packet[start:end] = bytes(end - start)
        assert hmac.new(bytes(range(32)), packet, hashlib.sha256).hexdigest().startswith(begins)
        assert f"`{begins}...`" in text


def check(exercise, *answer, **more):
    return Lesson(7).check(exercise, *answer, **more)


def right_v6(packet):
    made = bytearray(packet)
    made[0] &= 0xF0
    made[1:4], made[7:8], made[52:68] = bytes(3), bytes(1), bytes(16)
    return bytes(made)


def spoilt(start, end, value=0):
    def function(packet):
        made = bytearray(right_v6(packet))
        made[start:end] = bytes([value]) * (end - start)
        return bytes(made)

    return function


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (spoilt(0, 1), "when the version changes"),
        (lambda packet: packet, "still moves when the traffic class changes"),
        (lambda packet: right_v6(packet)[:1] + packet[1:4] + right_v6(packet)[4:], "traffic class"),
        (lambda packet: right_v6(packet)[:2] + packet[2:4] + right_v6(packet)[4:], "flow label"),
        (lambda packet: right_v6(packet)[:52] + packet[52:68] + right_v6(packet)[68:], "the ICV changes"),
        (spoilt(52, 68, 1), "another value"),
        (lambda packet: right_v6(packet)[1:], "when the version changes"),
        (lambda packet: 1 // 0, "ZeroDivisionError"),
        (lambda packet: None, "TypeError"),
    ],
)
def test_a_wrong_input_hears_which_property_fails_and_no_more(answer, says):
    checked = check("7.1", answer, bits=36)
    assert not checked
    assert says in checked.words


def test_a_right_input_with_a_wrong_number_hears_no_number():
    assert check("7.1", right_v6, bits=36)
    for bits in (28, 35, 37, "36 "):
        said = check("7.1", right_v6, bits=bits).words
        assert said == "your function is right; the number of bits is another one"


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        (lambda: Lab("ah_on_the_road"), "keep translating"),
        (lambda: Lab("ah_on_the_road", box="home_router"), "bob still drops: AH_ICV_FAIL"),
        (lambda: Lab("ah_on_the_road", box="home_router", sun="home_router"), "bob still drops"),
        (
            lambda: Lab("ah_on_the_road", box="home_router", sun="home_router", mode="tunnel").with_(
                "nodes.sun.nat.pool=10.1.0.10"
            ),
            "more than sun",
        ),
        (lambda: "a text", "wants a Lab"),
    ],
)
def test_peace_that_is_none_hears_what_is_missing(mine, says):
    checked = check("7.2", mine())
    assert not checked
    assert says in checked.words


def test_the_lucky_laptop_is_tried_out():
    assert check("7.3", "10.1.50.5", how_many=1)
    assert check("7.3", "10.1.50.5", how_many=2).words == "right address, wrong count"
    for wrong in ("10.1.50.6", "10.1.5.50"):
        assert check("7.3", wrong, how_many=1).words == "bob's UDP still refuses"
    assert "10.1.0.0/16" in check("7.3", "10.2.0.1", how_many=1).words
    assert "no IPv4 address" in check("7.3", "10.1.?.?", how_many=1).words
    assert "somebody else" in check("7.3", "10.1.0.1", how_many=1).words


def test_no_answer_is_said_kindly_and_no_exercise_is_an_error():
    assert "there is no answer yet" in check("7.2", ...).words
    with pytest.raises(ConfigError, match=r"known: 7\.1, 7\.2, 7\.3"):
        check("7.9", 1)
