"""Connections: what begins one, what answers it, what is about it, and when it is forgotten."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.instant import SECOND
from ipsecsim.stack.conntrack import ConnectionTable
from ipsecsim.stack.events import ConnectionForgotten, ConnectionOpened
from ipsecsim.stack.match import Seen, State
from ipsecsim.stack.nat.behaviour import MINUTE
from ipsecsim.wire import icmpv4, icmpv6, ipv4, ipv6, udp

A, B, HOP = pack("10.1.0.2"), pack("10.2.0.2"), pack("192.0.2.7")
A6, B6, HOP6 = pack("fd00:10:1::2"), pack("fd00:10:2::2"), pack("2001:db8::7")
NEW, ESTABLISHED, RELATED = State.NEW, State.ESTABLISHED, State.RELATED
SYN, ACK, FIN, RST = 2, 16, 1, 4


def datagram(source: bytes = A, destination: bytes = B, port: int = 1111, to: int = 2222) -> bytes:
    return ipv4.build(source, destination, 17, udp.build(source, destination, port, to, b"data"))


def segment(flags: int, *, back: bool = False) -> bytes:
    ends, ports = ((B, A), (80, 5000)) if back else ((A, B), (5000, 80))
    tcp = b"".join(port.to_bytes(2, "big") for port in ports) + bytes(9) + bytes((flags,)) + bytes(6)
    return ipv4.build(*ends, 6, tcp)


def ping(*, reply: bool = False, identifier: int = 7) -> bytes:
    return ipv4.build(*((B, A) if reply else (A, B)), 1, icmpv4.Echo(reply, identifier, 1, b"").emit())


def ping6(*, reply: bool = False) -> bytes:
    ends = (B6, A6) if reply else (A6, B6)
    return ipv6.build(*ends, 58, icmpv6.Echo(reply, 7, 1).emit(*ends))


def error(about: bytes, to: bytes = A) -> bytes:
    return ipv4.build(HOP, to, 1, icmpv4.IcmpError(3, 1, about[:28]).emit())


def error6(about: bytes) -> bytes:
    return ipv6.build(HOP6, A6, 58, icmpv6.IcmpError(1, 0, about).emit(HOP6, A6))


def states(
    *packets: bytes, table: ConnectionTable | None = None, every: int = SECOND, start: int = 0
) -> list[State | None]:
    """The state of each packet, all of which are let through, one after the other."""
    table = ConnectionTable() if table is None else table
    found = []
    for number, packet in enumerate(packets):
        seen = Seen(packet)
        now = start + number * every
        table.let_through(seen, table.look_up(seen, now), now)
        found.append(seen.state)
    return found


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        # first packets stay new until there is an answer
        ([datagram(), datagram(), datagram(B, A, 2222, 1111), datagram()], [NEW, NEW, ESTABLISHED, ESTABLISHED]),
        ([datagram(), datagram(B, A, 2222, 1112)], [NEW, NEW]),
        ([datagram(), datagram(B, A, 1111, 2222)], [NEW, NEW]),
        ([ping(), ping(reply=True), ping()], [NEW, ESTABLISHED, ESTABLISHED]),
        ([ping(), ping(reply=True, identifier=8)], [NEW, None]),
        ([ping(reply=True), ping()], [None, NEW]),
        ([ping6(), ping6(reply=True)], [NEW, ESTABLISHED]),
        ([ping6(reply=True)], [None]),
        # without ports the addresses alone
        ([ipv4.build(A, B, 50, bytes(40)), ipv4.build(B, A, 50, b"\1" * 40)], [NEW, ESTABLISHED]),
        ([ipv4.build(A, B, 50, bytes(40)), ipv4.build(B, A, 51, bytes(40))], [NEW, NEW]),
        # TCP begins with SYN, or goes on
        ([segment(SYN), segment(SYN | ACK, back=True), segment(ACK)], [NEW, ESTABLISHED, ESTABLISHED]),
        ([segment(ACK), segment(ACK, back=True)], [NEW, ESTABLISHED]),
        ([segment(SYN | ACK)], [None]),
        ([segment(RST)], [None]),
        ([segment(RST | ACK)], [None]),
        ([segment(0)], [None]),
        ([ipv4.build(A, B, 6, segment(SYN)[20:28], more_fragments=True)], [NEW]),  # whatever it hides
        # errors are about what they quote, and for who sent that
        ([datagram(), error(datagram()), datagram()], [NEW, RELATED, NEW]),
        ([datagram(), datagram(B, A, 2222, 1111), error(datagram())], [NEW, ESTABLISHED, RELATED]),
        ([datagram(), error(datagram(B, A, 2222, 1111), to=B)], [NEW, RELATED]),
        ([datagram(), error(datagram(), to=B)], [NEW, None]),
        ([error(datagram())], [None]),
        ([error(datagram()[:12])], [None]),
        ([error(b"")], [None]),
        ([ping(), error(ping())], [NEW, RELATED]),
        ([ping6(), error6(ping6())], [NEW, RELATED]),
        ([ping6(), error6(ping6()[:39])], [NEW, None]),
        # a later fragment shows nothing
        ([datagram(), ipv4.build(A, B, 17, bytes(8), fragment_offset=16)], [NEW, None]),
        ([ipv4.build(A, B, 17, bytes(3))], [None]),
    ],
)  # fmt: skip
def test_what_a_packet_is_to_the_connections(packets, expected):
    assert states(*packets) == expected


@pytest.mark.parametrize(
    ("packet", "answer", "lifetime"),
    [
        (datagram(), datagram(B, A, 2222, 1111), 5 * MINUTE),
        (ping(), ping(reply=True), MINUTE),
        (segment(SYN), segment(SYN | ACK, back=True), 4 * MINUTE),
        (ipv4.build(A, B, 50, bytes(40)), ipv4.build(B, A, 50, bytes(40)), 5 * MINUTE),
    ],
)
def test_a_connection_is_forgotten_when_nobody_uses_it(packet, answer, lifetime):
    assert states(packet, answer, every=lifetime - 1)[1] is ESTABLISHED
    assert states(packet, answer, every=lifetime)[1] is not ESTABLISHED


def test_tcp_lives_long_when_it_is_open_and_not_when_it_closes():
    opened = [segment(SYN), segment(SYN | ACK, back=True)]
    table = ConnectionTable()
    assert states(*opened, table=table) == [NEW, ESTABLISHED]
    later = SECOND + 124 * MINUTE - 1
    assert states(segment(FIN | ACK, back=True), table=table, start=later) == [ESTABLISHED]
    assert states(segment(ACK, back=True), table=table, start=later + 4 * MINUTE) == [NEW]


def test_every_packet_keeps_it_alive():
    packets = [datagram(), datagram(B, A, 2222, 1111)] * 5
    assert states(*packets, every=4 * MINUTE)[1:] == [ESTABLISHED] * 9


def test_it_tells_what_it_knows_and_what_it_forgets():
    events: list[object] = []
    states(datagram(), datagram(), table=ConnectionTable(events.append), every=6 * MINUTE)
    opened = ConnectionOpened(17, (A, 1111), (B, 2222), 5 * MINUTE)
    assert events == [
        opened,
        ConnectionForgotten(17, (A, 1111), (B, 2222), "nobody has used it"),
        opened,
    ]


def test_a_flood_of_first_packets_does_not_drive_out_who_is_answered():
    events: list[object] = []
    table = ConnectionTable(events.append, most=10)
    states(datagram(), datagram(B, A, 2222, 1111), table=table)
    states(*(datagram(port=port) for port in range(2000, 2100)), table=table, every=0)
    assert len(table) == 10
    assert states(datagram(), table=table) == [ESTABLISHED]
    assert states(datagram(port=2099), datagram(B, A, 2222, 2000), table=table) == [NEW, NEW]
    assert {event.why for event in events if isinstance(event, ConnectionForgotten)} == {"the table is full"}


def test_when_all_are_answered_the_longest_unused_goes():
    table = ConnectionTable(most=2)
    for port in (1, 2, 3):
        states(datagram(port=port), datagram(B, A, 2222, port), table=table)
    assert states(datagram(B, A, 2222, 1), table=table) == [NEW]
    assert len(table) == 2


def test_what_is_not_let_through_is_not_known():
    table = ConnectionTable()
    table.look_up(Seen(datagram()), 0)
    assert len(table) == 0
    table.clear("why")
    assert states(datagram(B, A, 2222, 1111), table=table) == [NEW]
