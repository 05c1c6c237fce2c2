"""What came protected waits for the one core of its SA; more cores help more SAs only."""

from pathlib import Path

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MICROSECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.net.cores import DEVICES
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import find, read
from ipsecsim.wire.numbers import IpProtocol

FILE = "one_sa_one_core"
TWO = "{one: {local_ts: 10.1.1.0/24, start_action: start}, two: {local_ts: 10.1.2.0/24, start_action: start}}"


def run(*settings: tuple[str, str], source: str | Path = FILE) -> Run:
    made = Run(read(source, settings=settings)).run()
    assert check(made.recorder, made.world.simulator) == []
    return made


def refused(made: Run) -> list[str]:
    return [e.detail for _, e in made.recorder.of(PacketDropped) if e.reason is DropReason.CORE_BUSY]


def is_esp(packet: bytes) -> bool:
    return packet[9] == IpProtocol.ESP


def test_one_sa_keeps_one_core_busy_and_the_others_idle():
    made = run()
    assert set(refused(made)) == {"core 1 of 4 has 32 packets to do, the others none"}
    assert made.world.results["one"].lost + made.world.results["two"].lost == len(refused(made))


def test_a_child_sa_for_each_camera_keeps_two_cores_busy_and_loses_nothing():
    text = find(FILE).read_text(encoding="utf-8").replace("child: {start_action: start}", f"children: {TWO}")
    made = run(("expect", "{one: received 60}"), source=text)
    assert refused(made) == []
    assert made.world.results["two"].lost == 0


def test_quicker_cores_help_and_without_a_device_work_takes_no_time():
    for device in ("server", "ideal"):
        assert refused(run(("nodes.east.device", device), ("expect", "{one: received 60}"))) == []


def test_a_packet_of_esp_is_opened_once_its_core_has_worked_as_long_as_it_takes():
    made = Run(read(FILE)).run()
    device = DEVICES["home_router"]
    first = next(row for row, _ in made.recorder.of(PacketOpened) if row.node == "east")
    sent = next(
        row
        for row, e in made.recorder.of(FrameSent)
        if row.node == "west" and e.link == "wan" and e.packet[9] == 50
    )
    size = len(sent.event.packet)
    on_the_way = 2_000_000 + size * 8  # 2 ms, and 1 ns for each bit at 1 Gbit/s
    assert first.at - sent.at - on_the_way == device.packet + size * device.byte
    assert device.packet == 20 * MICROSECOND


def test_what_came_in_order_is_opened_in_order():
    numbers = [e.sequence for row, e in run().recorder.of(PacketOpened) if row.node == "east"]
    assert numbers == sorted(numbers)
