"""A few thousand hostile inputs, the whole corpus, and the machinery that is to notice when one does harm."""

from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecsim.wire.ike.payloads import PAYLOADS
from tests.hostile import batches
from tests.hostile.batches import SIZE, replay, run_batch
from tests.hostile.chains import Link, emit_links, read_links
from tests.hostile.ike_situations import STATES, WITHOUT_KEYS
from tests.hostile.ike_targets import ForgedIke, SealedIke
from tests.hostile.report import Report
from tests.hostile.seeds import bodies, findings, seeds
from tests.hostile.target import Target, require
from tests.hostile.targets import TARGETS
from tests.hostile.wire_targets import Dissector, Parsers

pytestmark = pytest.mark.slow

BY_NAME = {each.name: each for each in TARGETS}
# those that take bytes as they are: no text, and nothing under a seal
OPEN = [
    each for each in BY_NAME if each not in ("scenario", "IKE, sealed", "IKE, in fragments", "SA, sealed")
]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
ANY_BYTES = st.binary(max_size=120)


def no_chance() -> Random:
    return Random(0)  # noqa: S311 - to be repeated, not to be secret


# -- the run in small ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(BY_NAME))
def test_nothing_but_the_engines_own_drop_reasons_comes_out(name):
    count = 30 if name == "scenario" else SIZE
    report = Report()
    for batch in range(2):
        report.add(run_batch("make test", batch, count, name))
    assert report.problems() == []
    assert report.inputs == 2 * count


@pytest.mark.parametrize("finding", findings(), ids=lambda finding: finding.name)
def test_what_once_did_harm_no_longer_does(finding):
    BY_NAME[finding.target](no_chance()).replay(finding)


@pytest.mark.parametrize("name", OPEN)
def test_every_seed_goes_through_every_door(name):
    target = BY_NAME[name](no_chance())
    for seed in (*seeds("ike"), *seeds("packet"), *seeds("body")):
        target.feed(seed.data)


@pytest.mark.parametrize("what", ["packet", "message", "chain"])
def test_every_seed_is_dissected(what):
    dissector = Dissector(no_chance())
    dissector.choose(what)
    for seed in (*seeds("ike"), *seeds("packet"), *seeds("body")):
        dissector.feed(seed.data)


def test_every_payload_seed_is_read_by_its_own_parser():
    parsers = Parsers(no_chance())
    for number, body in bodies():
        if number in PAYLOADS:
            parsers.choose(PAYLOADS[number].__name__)
            parsers.feed(body)


# -- properties ---------------------------------------------------------------------------------


@cache
def forged(state: str) -> ForgedIke:
    target = ForgedIke(no_chance())
    target.begin(state, "gcm")
    return target


@cache
def sealed(state: str) -> SealedIke:
    target = SealedIke(no_chance())
    target.begin(state, "gcm")
    return target


@pytest.mark.parametrize("state", list(STATES))
@QUICK
@given(st.integers(0, 255), st.sampled_from([34, 35, 36, 37]), st.booleans(), st.integers(0, 3), ANY_BYTES)
def test_any_bytes_in_clear_are_taken_in_every_state(state, first, exchange, is_answer, message_id, body):
    target = forged(state)
    target.restore()
    spis, flags = bytes(15) + b"\1", 0x08
    for sa in target.made.endpoint.sas:
        spis, flags = sa.spi_i + sa.spi_r, 0 if sa.is_initiator else 0x08
    header = bytes((first, 0x20, exchange, flags | 0x20 * is_answer)) + message_id.to_bytes(4, "big")
    target.feed(spis + header + (28 + len(body)).to_bytes(4, "big") + body)


@pytest.mark.parametrize("state", [each for each in STATES if each not in WITHOUT_KEYS])
@QUICK
@given(st.integers(0, 255), st.sampled_from([34, 35, 36, 37]), st.booleans(), ANY_BYTES)
def test_any_bytes_under_a_good_seal_are_taken_in_every_state(state, first, exchange, is_answer, chain):
    target = sealed(state)
    target.restore()
    target.feed(target.sealed(first, chain, exchange, is_response=is_answer))


@given(st.lists(st.builds(Link, st.integers(1, 255), st.binary(max_size=20)), max_size=5))
def test_links_that_tell_the_truth_are_read_back(links):
    assert read_links(*emit_links(links)) == links


# -- the machinery ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(BY_NAME))
def test_the_same_seed_makes_the_same_inputs(name):
    first, second = ([replay("again", index, name).data for index in (0, 7)] for _ in range(2))
    assert first == second
    assert first != [replay("other", index, name).data for index in (0, 7)]


class Bad(Target):
    """Harmless until the third input."""

    name = "bad"
    share = 1
    most_ms = 40
    fed = 0

    def next_input(self) -> bytes:
        self.fed += 1
        return bytes([self.fed])

    def feed(self, data: bytes) -> str:
        if data == b"\3":
            self.harm()
        return "accepted"

    def harm(self) -> None:
        """Nothing so far."""


class Crashing(Bad):
    def harm(self) -> None:
        {}["no such key"]


class Slow(Bad):
    def harm(self) -> None:
        sum(range(4_000_000))


class Hanging(Bad):
    def harm(self) -> None:
        while True:
            pass


class Leaking(Bad):
    def finish(self) -> None:
        require(self.fed < 3, "something stays behind")


class WithoutSetUp(Bad):
    def __init__(self, chance: Random) -> None:
        raise ValueError("cannot even begin")


@pytest.mark.parametrize(
    ("kind", "what", "index"),
    [
        (Crashing, "KeyError: 'no such key'", 2),
        (Slow, "took", 2),
        (Hanging, "Hang: still at it", 2),
        (Leaking, "something stays behind", 9),
        (WithoutSetUp, "ValueError: cannot even begin", 0),
    ],
)
def test_harm_is_noticed_and_can_be_made_again(monkeypatch, kind, what, index):
    monkeypatch.setattr(batches, "TARGETS", (kind,))
    monkeypatch.setattr(batches, "HANG_SECONDS", 1)
    report = Report()
    report.add(run_batch("s", 0, 10))
    (failure,) = report.failures
    assert failure.what.startswith(what)
    assert failure.index == index
    (problem,) = report.problems()
    assert f"python -m tests.hostile --seed s --index {index}" in problem


def test_what_does_no_harm_is_counted(monkeypatch):
    monkeypatch.setattr(batches, "TARGETS", (Bad,))
    report = Report()
    report.add(run_batch("s", 0, 10))
    assert report.problems() == []
    assert "accepted 10" in report.table("s", 1.0)
