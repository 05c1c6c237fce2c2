"""Events of a run, by node, packet, exchange, time and reason."""

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.events import Events
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketOpened, PacketSealed
from ipsecsim.net.events import FrameSent
from ipsecsim.scenario import read


@pytest.fixture(scope="module")
def events() -> Events:
    return Events(Run(read("replay_attack")).run())


def test_by_node_and_class(events: Events) -> None:
    sealed = events.where(PacketSealed, node="west")
    assert {(type(row.event), row.node) for row in sealed} == {(PacketSealed, "west")}
    assert len(sealed) + len(events.where(PacketSealed, "node=east")) == len(events.where(PacketSealed))


def test_by_packet_on_every_node(events: Events) -> None:
    of_one = events.where("packet=1")
    assert [row.node for row in of_one if isinstance(row.event, FrameSent)] == ["alice", "east"]
    assert len(events.where("packet=1|2")) == len(of_one) + len(events.where("packet=2"))


def test_by_time_turn_and_question(events: Events) -> None:
    late = events.where("at>=5s")
    assert min(row.at for row in late) == 5_000_000_000
    assert list(events.where("turn<=3")) == [row for row in events if row.turn.number <= 3]
    assert list(events.where(lambda row: row.sequence == 7)) == [events[7]]


def test_by_reason_exchange_and_traffic(events: Events) -> None:
    dropped = events.where(reason="REPLAY_SEEN")
    assert len(dropped) == 10
    assert all(isinstance(row.event, PacketDropped) for row in dropped)
    sent = events.where(FrameSent, exchange="IKE_AUTH", node="west|east")
    assert len(sent) == 3, "one request, its response, and that response once more for mallory"
    assert {row.node for row in events.where(PacketOpened, flow="after")} == {"west", "east"}


def test_what_was_chosen_can_be_narrowed_and_cut(events: Events) -> None:
    by_two = events.where(PacketSealed).where(node="west")
    assert list(by_two) == list(events.where(PacketSealed, node="west"))
    assert list(by_two[:1]) == [by_two[0]]


def test_a_slip_is_shown(events: Events) -> None:
    with pytest.raises(ConfigError, match="no node 'wets'; did you mean 'west'"):
        events.where(node="wets")
