"""What strangers say by ICMP about a tunnel's path is a hint: IKE asks the peer, and believes only its answer."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.ike.events import IkeMessageSent
from ipsecsim.ike.mobility_events import PathChanged, PathsTried
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.icmpv4 import IcmpError
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways

STRANGER, WEST, EAST = pack("198.51.100.66"), pack("192.0.2.1"), pack("198.51.100.2")
ESP = ipv4.build(WEST, EAST, IpProtocol.ESP, bytes(8))
IKE = ipv4.build(WEST, EAST, IpProtocol.UDP, udp.build(WEST, EAST, 500, 500, b""))
DNS = ipv4.build(WEST, EAST, IpProtocol.UDP, udp.build(WEST, EAST, 5000, 53, b""))
NOT_OURS = ipv4.build(pack("192.0.2.9"), EAST, IpProtocol.ESP, bytes(8))
ELSEWHERE = ipv4.build(WEST, pack("198.51.100.9"), IpProtocol.ESP, bytes(8))


def up() -> World:
    world = two_gateways()
    world.initiate("west")
    return world.run()


def storm(world: World, quoted: bytes, *, kind: int = 3, code: int = 1, count: int = 100) -> None:
    """The same lie again and again, a millisecond apart."""
    packet = ipv4.build(STRANGER, WEST, IpProtocol.ICMP, IcmpError(kind, code, quoted).emit())
    router, start = world.nodes["internet"], world.simulator.now + SECOND
    for number in range(count):
        at = start + number * MILLISECOND

        def lie(at: int = at) -> None:
            router.perform(router.stack.receive("eth1", packet, at))

        world.simulator.plan(at, router, lie)
    world.run()


def questions(world: World) -> int:
    """How often west asked east whether it is there."""
    return sum(
        row.node == "west" and event.exchange == "INFORMATIONAL" and not event.is_response
        for row, event in world.recorder.of(IkeMessageSent)
    )


@pytest.mark.conf("MOB-04")
@pytest.mark.parametrize("quoted", [ESP, IKE])
@pytest.mark.parametrize(("kind", "code"), [(3, 0), (3, 1), (3, 3), (11, 0)])
def test_a_storm_of_lies_is_one_question_and_nothing_moves(quoted, kind, code):
    world = up()
    storm(world, quoted, kind=kind, code=code)
    assert questions(world) == 1
    assert len(world.gateway("west").ike.sas) == 1
    assert not world.recorder.of(PathChanged)
    assert not world.recorder.of(PathsTried)
    ping = world.ping("a", "b", at=world.simulator.now)
    world.run()
    assert ping.received == 1


@pytest.mark.parametrize("quoted", [DNS, NOT_OURS, ELSEWHERE, b"", ESP[:20], b"\x45" + bytes(40)])
def test_what_is_not_about_the_tunnel_is_no_hint(quoted):
    world = up()
    storm(world, quoted, count=3)
    assert questions(world) == 0


def test_a_path_that_is_really_gone_is_found_out_by_the_question():
    """The router has lost its way to east: the first packet that comes back as an error has IKE ask at once."""
    world = up()
    router = world.nodes["internet"]

    def forget() -> None:
        router.stack.interfaces["eth1"].up = False
        router.stack.routes.interfaces_changed()

    now = world.simulator.now
    world.simulator.plan(now + SECOND, router, forget)
    ping = world.ping("a", "b", at=now + 2 * SECOND)
    world.run()
    assert ping.received == 0
    assert questions(world) == 1
    assert world.gateway("west").ike.sas == ()
