"""JSON lines: one row a line, in a fixed order of keys, without loss."""

import io
import json

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import EchoRequestSent, FrameSent
from ipsecsim.net.turn import Turn
from ipsecsim.observe.record import Record
from ipsecsim.observe.written import jsonl
from ipsecsim.stack.events import PacketDelivered
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways

TURN = Turn(7, 1_500, "west", "frame", 3)


def written(world: World) -> str:
    file = io.StringIO()
    jsonl.write(world.recorder.rows, file)
    return file.getvalue()


def test_a_row_reads_as_documented() -> None:
    row = Record(41, TURN, FrameSent(9, "wan", "eth0", bytes((192, 0, 2, 2)), b"\x45\x00"))
    assert jsonl.to_json(row) == (
        '{"sequence":41,"time":1500,"turn":7,"cause":3,"node":"west","event":"FrameSent","frame":9,'
        '"fields":{"frame":9,"link":"wan","interface":"eth0","next_hop":"192.0.2.2","packet":"4500"}}'
    )


def test_the_sequence_of_a_ping_does_not_hide_that_of_the_row() -> None:
    read = json.loads(jsonl.to_json(Record(41, TURN, EchoRequestSent("ping", bytes(4), 2))))
    assert (read["sequence"], read["fields"]["sequence"]) == (41, 2)
    assert "frame" not in read


def test_reasons_are_names_and_numbers_of_the_wire_stay_numbers() -> None:
    dropped = json.loads(jsonl.to_json(Record(0, TURN, PacketDropped(DropReason.REPLAY_SEEN, b"\xff"))))
    assert dropped["fields"] == {"reason": "REPLAY_SEEN", "packet": "ff", "detail": ""}
    delivered = json.loads(jsonl.to_json(Record(0, TURN, PacketDelivered(IpProtocol.UDP, "ike"))))
    assert delivered["fields"] == {"protocol": 17, "to": "ike"}


def test_every_row_of_a_run_is_a_line_of_json(ping_world: World) -> None:
    lines = written(ping_world).splitlines()
    read = [json.loads(line) for line in lines]
    assert len(read) == len(ping_world.recorder.rows)
    for row, line in zip(ping_world.recorder.rows, read, strict=True):
        assert (line["sequence"], line["time"], line["turn"]) == (row.sequence, row.at, row.turn.number)
        assert line.get("frame") == row.frame


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    texts = []
    for seed in ("one", "one", "two"):
        world = two_gateways(seed=seed)
        world.ping("a", "b")
        texts.append(written(world.run()))
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]
