"""The pcapng writer, read back block by block. What Wireshark thinks of it is asked in tests/interop."""

import io
from struct import unpack, unpack_from

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import MILLISECOND
from ipsecsim.base.trace import Told
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameLost, FrameSent
from ipsecsim.observe.packets.host_capture import sights
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.written import pcapng
from ipsecsim.scenario import read
from ipsecsim.scenario.build import build
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ipv6
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import install
from tests.unit.observe.replayed import with_more

Options = dict[int, list[bytes]]


def blocks(recorder: Recorder) -> list[tuple[int, bytes]]:
    """Type and body of each block; the two lengths must agree and be a multiple of 4."""
    file = io.BytesIO()
    pcapng.write(recorder, file)
    return blocks_of(file.getvalue())


def blocks_of(data: bytes) -> list[tuple[int, bytes]]:
    at, found = 0, []
    while at < len(data):
        kind, length = unpack_from("<II", data, at)
        assert length % 4 == 0
        assert unpack_from("<I", data, at + length - 4) == (length,)
        found.append((kind, data[at + 8 : at + length - 4]))
        at += length
    return found


def options(data: bytes) -> Options:
    found: Options = {}
    at = 0
    while at < len(data):
        code, length = unpack_from("<HH", data, at)
        if code == 0:
            break
        found.setdefault(code, []).append(data[at + 4 : at + 4 + length])
        at += 4 + (length + 3) // 4 * 4
    return found


def packets(recorder: Recorder) -> list[tuple[int, int, bytes, str]]:
    """Interface, time, packet and comment of each packet block."""
    found = []
    for kind, body in blocks(recorder):
        if kind == 6:
            interface, high, low, captured, original = unpack_from("<IIIII", body)
            assert captured == original
            comment = options(body[20 + (captured + 3) // 4 * 4 :])[1][0].decode()
            found.append((interface, high << 32 | low, body[20 : 20 + captured], comment))
    return found


def test_a_section_then_the_links_then_the_names_then_packets(ping_world: World) -> None:
    kinds = [kind for kind, _ in blocks(ping_world.recorder)]
    count = len(ping_world.recorder.of(FrameSent))
    assert kinds == [0x0A0D0D0A, 1, 1, 1, 1, 4, *[6] * count]


def test_interfaces_are_links_with_nanoseconds(ping_world: World) -> None:
    seen = [
        (unpack_from("<H", body), options(body[8:]))
        for kind, body in blocks(ping_world.recorder)
        if kind == 1
    ]
    assert [found[2] for _, found in seen] == [[b"lan_a"], [b"wan_west"], [b"wan_east"], [b"lan_b"]]
    assert seen[1][1][3] == [b"west:wan - internet:eth0"]
    assert all(link_type == (101,) and found[9] == [b"\x09"] for link_type, found in seen)


def test_nodes_are_named_by_their_addresses(ping_world: World) -> None:
    (body,) = [body for kind, body in blocks(ping_world.recorder) if kind == 4]
    names, at = {}, 0
    while (record := unpack_from("<HH", body, at))[0]:
        value = body[at + 4 : at + 4 + record[1]]
        names[value[:4]] = value[4:].rstrip(b"\0").decode()
        at += 4 + (record[1] + 3) // 4 * 4
    assert names[bytes((192, 0, 2, 1))] == "west"
    assert names[bytes((192, 0, 2, 2))] == names[bytes((198, 51, 100, 1))] == "internet"
    assert names[bytes((10, 2, 0, 2))] == "b"


def test_every_frame_is_there_when_it_was_sent(ping_world: World) -> None:
    sent = ping_world.recorder.of(FrameSent)
    links = ["lan_a", "wan_west", "wan_east", "lan_b"]
    seen = packets(ping_world.recorder)
    assert [(links[interface], at, packet) for interface, at, packet, _ in seen] == [
        (event.link, row.at, event.packet) for row, event in sent
    ]


def test_times_beyond_four_seconds_use_both_halves(ping_world: World) -> None:
    assert packets(ping_world.recorder)[-1][1] > 1 << 32


def test_comments_tell_what_it_is_and_what_became_of_it(ping_world: World) -> None:
    comments = [comment for *_, comment in packets(ping_world.recorder)]
    assert comments[0] == (
        "Turn 1: a sends 10.1.0.2 > 10.2.0.2, ICMP echo request 1, 84 B; "
        "in turn 2 it reached west and was forwarded and held until there is an SA."
    )
    auth = next(comment for comment in comments if "IKE_AUTH request 1" in comment)
    assert "(IDi, N(INITIAL_CONTACT), IDr, AUTH, SA, TSi, TSr)" in auth
    sealed = next(comment for comment in comments if "ESP SPI" in comment)
    assert "sequence 1, 140 B (inside: 10.1.0.2 > 10.2.0.2, ICMP echo request 1, 84 B)" in sealed


def test_comments_on_ah_and_on_extended_numbers() -> None:
    world = install(two_gateways(), IpProtocol.AH, "sha256")
    world.ping("a", "b")
    signed = next(comment for *_, comment in packets(world.run().recorder) if "AH SPI" in comment)
    assert "AH SPI 5e0d77aa sequence 1 | 10.1.0.2 > 10.2.0.2, ICMP echo request 1, 132 B; in turn" in signed
    world = install(
        two_gateways(), IpProtocol.ESP, "aes256gcm16", extended_sequence=True, sequence=0xFFFF_FFFF
    )
    world.ping("a", "b")
    sealed = next(comment for *_, comment in packets(world.run().recorder) if "ESP SPI" in comment)
    assert "sequence 0, 140 B (inside: 10.1.0.2 > 10.2.0.2, ICMP echo request 1, 84 B)" in sealed


def test_ipv6_nodes_are_named_and_what_is_no_packet_names_nobody(ping_world: World) -> None:
    last = ping_world.recorder.rows[-1]
    packet = ipv6.build(pack("2001:db8::5"), pack("2001:db8::6"), 59, b"")
    more = with_more(
        ping_world.recorder, last.sequence, *map(PacketOriginated, (packet, packet[:20], b"", b"\x60"))
    )
    (body,) = [body for kind, body in blocks(more) if kind == 4]
    record = b"\x02\0" + (16 + len(last.node) + 1).to_bytes(2, "little") + pack("2001:db8::5")
    assert record + last.node.encode() + b"\0" in body
    assert body.count(b"\x02\0" + record[2:4]) == 1


def test_a_lost_frame_is_there_with_the_reason() -> None:
    world = two_gateways(wan_rate=64_000, wan_queue=1)
    world.ping("a", "b", count=8, interval=MILLISECOND)
    world.run()
    (lost, *_) = [event.frame for _, event in world.recorder.of(FrameLost)]
    place = [event.frame for _, event in world.recorder.of(FrameSent)].index(lost)
    comment = packets(world.recorder)[place][3]
    assert comment.endswith(f"it was lost: {DropReason.QUEUE_FULL.sentence} (QUEUE_FULL).")


def test_a_capture_on_a_node_has_its_links_directions_and_what_was_opened() -> None:
    file = io.BytesIO()
    pcapng.write_seen(sights(Run(read("capture_on_gateway")).run().lives, "east"), "east", file)
    found = blocks_of(file.getvalue())
    names = [options(body[8:])[2] for kind, body in found if kind == 1]
    assert names == [[b"fibre"], [b"right"]]
    shown = []
    for body in [body for kind, body in found if kind == 6][-5:]:
        interface, _, _, size, _ = unpack_from("<IIIII", body)
        said = options(body[20 + (size + 3) // 4 * 4 :])
        shown.append((interface, body[20 + 9], unpack("<I", said[2][0])[0], said.get(1)))
    opened = [b"Turn 21: east opened it from packet 10; fibre did not carry it so."]
    esp, icmp = IpProtocol.ESP, IpProtocol.ICMP
    assert shown == [
        (0, esp, 1, None),
        (0, icmp, 1, opened),
        (1, icmp, 2, None),
        (1, icmp, 1, None),
        (0, esp, 2, None),
    ]


def test_an_empty_recording_is_a_valid_file() -> None:
    assert [kind for kind, _ in blocks(Recorder())] == [0x0A0D0D0A, 4]
    magic, major, minor, length = unpack("<IHHq", blocks(Recorder())[0][1][:16])
    assert (magic, major, minor, length) == (0x1A2B3C4D, 1, 0, -1)


def test_a_capture_written_on_the_way_has_the_same_frames_at_the_same_times() -> None:
    file, recorder = io.BytesIO(), Recorder()
    capture = pcapng.Capture(file.write)

    def both(told: Told) -> None:
        recorder.tell(told)
        capture.tell(told)

    simulator = build(read("behind_nat"), observer=both).simulator
    while simulator.step():
        pass
    links, frames = [], []
    for kind, body in blocks_of(file.getvalue()):
        if kind == 1:
            links.append(options(body[8:])[2][0].decode())
        elif kind == 6:
            number, high, low, size, _ = unpack_from("<IIIII", body)
            frames.append((links[number], high << 32 | low, body[20 : 20 + size]))
    assert frames == [(event.link, row.at, event.packet) for row, event in recorder.of(FrameSent)]
    assert len(frames) > 10
