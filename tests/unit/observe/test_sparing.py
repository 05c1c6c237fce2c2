"""A run that keeps less needs less, says what it does not know, and writes the same while it goes on."""

import gc
import tracemalloc
from io import StringIO

import pytest

from ipsecsim.base.errors import LocalError
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.counters import count
from ipsecsim.observe.sparing import HEADERS, NotRecorded
from ipsecsim.observe.written import jsonl
from ipsecsim.observe.written.pcapng import Capture
from ipsecsim.scenario import read
from ipsecsim.views import state_tables, tables

MOST_MORE = 64 * 1024  # bytes: what pings remember of their round trips, and chance

ASKED = {
    "rows": lambda run: run.recorder.rows,
    "a turn": lambda run: run.recorder.turn(1),
    "all turns": lambda run: run.recorder.all_turns(),
    "events of a kind": lambda run: run.recorder.of(FrameSent),
    "turns recorded": lambda run: run.recorder.turns,
    "packets": lambda run: run.lives,
    "the state before": lambda run: run.known("west", 0),
    "changes": lambda run: run.inventory.changes(1),
    "all state": lambda run: run.inventory.at(1),
    "known turns": lambda run: run.inventory.turns,
}


@pytest.mark.parametrize("what", ASKED)
def test_what_was_not_kept_is_answered_by_how_to_keep_it(what: str) -> None:
    run = Run(read("site_to_site"), record="none").run()
    with pytest.raises(NotRecorded, match=r'record it with record="all" \(--record all\)'):
        ASKED[what](run)


def test_how_much_is_kept_is_one_of_three_words() -> None:
    with pytest.raises(LocalError, match="all, headers or none"):
        Run(read("site_to_site"), record="some")


@pytest.mark.parametrize("record", ["headers", "none"])
def test_what_happens_and_what_is_known_at_the_end_is_the_same(record: str) -> None:
    whole, less = Run(read("replay_attack")).run(), Run(read("replay_attack"), record=record).run()
    assert (less.turns, less.now) == (whole.turns, whole.now)
    assert less.counters.nodes.keys() == whole.counters.nodes.keys()
    for table in (state_tables.policies, state_tables.associations, state_tables.leases, tables.drops):
        assert table(less) == table(whole)


def test_of_headers_every_row_is_there_and_of_packets_the_beginning() -> None:
    whole, less = Run(read("site_to_site")).run(), Run(read("site_to_site"), record="headers").run()
    assert [type(row.event) for row in less.recorder.rows] == [type(row.event) for row in whole.recorder.rows]
    for (_, some), (_, all_of_it) in zip(
        less.recorder.of(FrameSent), whole.recorder.of(FrameSent), strict=True
    ):
        assert some.packet == all_of_it.packet[:HEADERS]
    with pytest.raises(NotRecorded, match="64 bytes"):
        less.lives  # noqa: B018 - asking is what is refused


def test_counting_on_the_way_finds_what_counting_afterwards_does() -> None:
    counted = Run(read("lossy_link"), record="none").run().counters
    whole = count(Run(read("lossy_link")).run().recorder.rows)
    assert {name: node.dropped for name, node in counted.nodes.items()} == {
        name: node.dropped for name, node in whole.nodes.items()
    }
    assert {name: node.forwarded for name, node in counted.nodes.items()} == {
        name: node.forwarded for name, node in whole.nodes.items()
    }
    assert counted.links.keys() == whole.links.keys()


@pytest.mark.parametrize("name", ["site_to_site", "behind_nat", "lossy_link", "bit_flip", "gateway_failover"])
def test_a_trace_written_on_the_way_is_that_of_the_recording(name: str) -> None:
    on_the_way, afterwards = StringIO(), StringIO()
    trace = jsonl.Trace(on_the_way)
    run = Run(read(name), observers=[trace.tell]).run()
    trace.flush()
    jsonl.write(run.recorder.rows, afterwards)
    assert on_the_way.getvalue() == afterwards.getvalue()


class _Nowhere(StringIO):
    def write(self, text: str) -> int:
        return len(text)


def _most_memory(pings: int) -> tuple[int, int]:
    """Turns, and the most bytes in use at once while they ran, over what was there before."""
    topology = read("site_to_site", do=[f"1s ping alice bob count={pings} interval=100ms"])
    trace, capture = jsonl.Trace(_Nowhere()), Capture(lambda _: None)
    run = Run(topology, record="none", observers=[trace.tell, capture.tell])
    gc.collect()
    tracemalloc.start()
    while run.step(topology.until):
        if run.turns % 256 == 0:
            gc.collect()  # else it would be a question of when the collector thinks of it
    trace.flush()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return run.turns, most


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_turns_when_all_is_written_on_the_way() -> None:
    short, long = _most_memory(280), _most_memory(1140)
    assert short[0] > 1900
    assert long[0] > 7900
    assert long[1] - short[1] < MOST_MORE
