import asyncio

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.errors import LocalError
from ipsecsim.emulation.udp_port import USUAL_PORTS, PortPlan, UdpPort

LOOPBACK = pack("127.0.0.1")


def test_real_ports_stand_for_the_ones_the_engines_know():
    plan = PortPlan(15000, 14500)
    assert (plan.real(500), plan.real(4500), plan.real(1234)) == (15000, 14500, 1234)
    assert (plan.meant(15000), plan.meant(14500), plan.meant(40000)) == (500, 4500, 40000)
    assert (USUAL_PORTS.real(500), USUAL_PORTS.meant(4500)) == (500, 4500)


@pytest.mark.parametrize("ports", [(500, 500), (0, 4500), (500, 70000)])
def test_two_different_ports_are_needed(ports: tuple[int, int]):
    with pytest.raises(LocalError):
        PortPlan(*ports)


def test_datagrams_come_with_their_sender_and_closed_ports_are_silent():
    heard: list[tuple[bytes, int, bytes]] = []

    async def main() -> None:
        here = await UdpPort.open(LOOPBACK, 0, lambda *datagram: heard.append(datagram))
        there = await UdpPort.open(LOOPBACK, 0, lambda *_: None)
        port = here._socket.getsockname()[1]
        there.send(LOOPBACK, port, b"one", tos=0xB8)
        there.send(LOOPBACK, port, b"two")
        for _ in range(100):
            if len(heard) == 2:
                break
            await asyncio.sleep(0.01)
        here.close()
        here.close()
        here.send(LOOPBACK, port, b"three")
        there.close()

    asyncio.run(main())
    assert [payload for _, _, payload in heard] == [b"one", b"two"]
    assert heard[0][0] == LOOPBACK
