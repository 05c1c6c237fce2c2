"""Two gateways of our own on real sockets, and everything that emulation refuses to do."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import SECOND, ms
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.emulation.gateway import Gateway
from ipsecsim.emulation.udp_port import PortPlan, UdpPort
from ipsecsim.ike.config import ChildConfig, Connection, HalfOpenLimits
from ipsecsim.ike.credentials import Credentials, SharedSecret
from ipsecsim.ike.events import CookieDemanded, LivenessChecked, NotifyReceived, PeerRefused
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.net.events import EchoReplyMissed, EchoReplyReceived
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario.swanctl.parse import esp_proposal, ike_proposal
from ipsecsim.views.text import story

LOOPBACK = pack("127.0.0.1")
WEST_INNER, EAST_INNER = pack("10.1.0.1"), pack("10.2.0.1")
NETS = {"west": "10.1.0.0/24", "east": "10.2.0.0/24"}
INNER = {"west": WEST_INNER, "east": EAST_INNER}


def free_ports(count: int) -> list[int]:
    """Ports that nobody has; they are asked for together, so that all are different."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    numbers = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return numbers


def connection(name: str, peer: str, **changes: object) -> Connection:
    child = ChildConfig(
        "net",
        (traffic_selector(Prefix.parse(NETS[name])),),
        (traffic_selector(Prefix.parse(NETS[peer])),),
        (esp_proposal("default"),),
        policy="net",
    )
    facts: dict[str, object] = {
        "name": f"to {peer}",
        "local_address": LOOPBACK,
        "remote_address": LOOPBACK,
        "local_id": Identity.from_text(f"{name}.example"),
        "remote_id": Identity.from_text(f"{peer}.example"),
        "proposals": (ike_proposal("default"),),
        "children": (child,),
        "encap": True,
    }
    return Connection(**(facts | changes))  # type: ignore[arg-type]


class Two:
    """`west` and `east`, both on the loopback, with ports of their own."""

    def __init__(self, *, secrets: tuple[str, str] = ("secret", "secret"), **changes: object) -> None:
        a, b, c, d = free_ports(4)
        self.ports = {"west": PortPlan(a, b), "east": PortPlan(c, d)}
        self.recorders = {"west": Recorder(), "east": Recorder()}
        self.west = self._gateway("west", "east", secrets[0], changes)
        self.east = self._gateway("east", "west", secrets[1], {})

    def _gateway(self, name: str, peer: str, secret: str, changes: dict[str, object]) -> Gateway:
        of_connection = {key: changes[key] for key in ("dpd_delay",) if key in changes}
        of_gateway = {key: changes[key] for key in ("run_time", "limits") if key in changes}
        return Gateway(
            name,
            inner_address=INNER[name],
            connections=[connection(name, peer, **of_connection)],
            credentials=Credentials([SharedSecret("ike", secret.encode())]),
            ports=self.ports[name],
            peer_ports=self.ports[peer],
            observer=self.recorders[name].tell,
            **of_gateway,  # type: ignore[arg-type]
        )

    def seen(self, name: str, kind: type[TraceEvent]) -> list[TraceEvent]:
        return [event for _, event in self.recorders[name].of(kind)]

    def drops(self, name: str) -> list[DropReason]:
        return [event.reason for _, event in self.recorders[name].of(PacketDropped)]


def play(work: Callable[[Two], Awaitable[None]], **changes: object) -> Two:
    """Open both gateways and let `work` use them."""
    two = Two(**changes)  # type: ignore[arg-type]

    async def main() -> None:
        async with asyncio.timeout(20), two.west, two.east:
            await work(two)

    asyncio.run(main())
    return two


async def until(gateway: Gateway, condition: Callable[[], bool]) -> None:
    assert await gateway.driver.until(condition, within=5 * SECOND)


def test_the_first_ping_brings_the_tunnel_up_and_goodbye_takes_it_down():
    async def work(two: Two) -> None:
        assert await two.west.ping(EAST_INNER) is not None
        assert await two.east.ping(WEST_INNER, size=3000) is not None
        assert two.west.is_up("net")
        assert two.east.is_up("net")
        two.east.terminate("net")
        await until(two.east, lambda: not two.east.ike.sas)
        assert not two.west.ike.sas
        assert not two.west.is_up("net")

    two = play(work)
    assert two.drops("west") == []
    assert two.drops("east") == [DropReason.COOKIE_REQUIRED]
    assert len(two.seen("west", EchoReplyReceived)) == len(two.seen("east", EchoReplyReceived)) == 1


def test_who_begins_shows_a_cookie_first_unless_limits_allow_more():
    async def work(two: Two) -> None:
        assert await two.east.ping(WEST_INNER) is not None

    assert len(play(work).seen("west", CookieDemanded)) == 1
    assert play(work, limits=HalfOpenLimits()).seen("west", CookieDemanded) == []


def test_an_emulated_run_tells_its_story_like_a_simulated_one():
    async def work(two: Two) -> None:
        await two.west.ping(EAST_INNER)

    told = "\n".join(story(play(work).recorders["west"]))
    assert "west   got from socket: 127.0.0.1 > 127.0.0.1, IKE_AUTH response 1 on UDP 4500 > 4500" in told
    assert "ESP SPI" in told


def test_a_timer_that_rings_is_a_turn_that_knows_who_armed_it():
    async def work(two: Two) -> None:
        two.west.initiate("net")
        await until(two.west, lambda: bool(two.seen("west", LivenessChecked)))

    recorder = play(work, dpd_delay=ms(50)).recorders["west"]
    ((row, _),) = recorder.of(LivenessChecked)
    assert row.turn.stimulus == "timer"
    assert row.turn.cause == row.turn.number - 1


def test_a_wrong_secret_is_explained_on_the_side_that_refused():
    async def work(two: Two) -> None:
        two.west.initiate("net")
        await until(two.west, lambda: bool(two.seen("west", NotifyReceived)))

    two = play(work, secrets=("secret", "tpyo"))
    assert two.seen("west", NotifyReceived) == [NotifyReceived("AUTHENTICATION_FAILED", "IKE_AUTH")]
    (refused,) = two.seen("east", PeerRefused)
    assert refused == PeerRefused(
        "west.example", "its AUTH value does not fit our shared secret (AUTH_PSK_MISMATCH)"
    )


def test_a_ping_that_nobody_answers_is_given_up():
    async def work(two: Two) -> None:
        assert await two.west.ping(pack("10.2.0.77"), within=SECOND) is None

    two = play(work)
    assert len(two.seen("west", EchoReplyMissed)) == 1
    assert two.drops("east")[-1] is DropReason.IP_NOT_LOCAL  # it is no router


def test_what_policy_does_not_name_never_leaves():
    async def work(two: Two) -> None:
        assert await two.west.ping(pack("192.0.2.9"), within=ms(50)) is None

    two = play(work)
    assert two.drops("west") == [DropReason.SPD_NO_MATCH]
    assert two.west.driver.turns == 2  # the ping, and the end of waiting for it


def test_a_stranger_gets_no_answer():
    """The stranger sends a good first message, from an address that no connection names."""

    async def work(two: Two) -> None:
        heard: list[bytes] = []
        stranger = await UdpPort.open(pack("127.0.0.9"), 0, lambda *_: heard.append(b""))
        for port in (two.ports["east"].ike, two.ports["east"].nat_t):
            stranger.send(LOOPBACK, port, bytes(4) + bytes(range(40)))
        await until(two.east, lambda: len(two.drops("east")) == 2)
        await asyncio.sleep(0.05)
        stranger.close()
        assert heard == []

    assert play(work).drops("east") == [DropReason.NOT_A_PEER] * 2


def test_port_4500_tells_keepalives_and_scraps_apart():
    async def work(two: Two) -> None:
        peer = await UdpPort.open(LOOPBACK, 0, lambda *_: None)
        for payload in (b"\xff", b"ab", b"\0\0\0\1esp without an SA"):
            peer.send(LOOPBACK, two.ports["east"].nat_t, payload)
        await until(two.east, lambda: len(two.drops("east")) == 3)
        peer.close()

    assert play(work).drops("east") == [DropReason.KEEPALIVE, DropReason.UDP_SHORT, DropReason.NO_SA]


def test_the_run_time_limit_closes_everything():
    async def work(two: Two) -> None:
        with pytest.raises(TimeoutError, match="run-time limit of 50 ms"):
            await two.west.driver.until(lambda: False, within=5 * SECOND)
        await asyncio.sleep(0)
        again = await UdpPort.open(LOOPBACK, two.ports["west"].ike, lambda *_: None)  # the port is free
        again.close()
        with pytest.raises(TimeoutError):
            two.west.initiate("net")

    play(work, run_time=ms(50))


def test_a_taken_port_is_said_and_nothing_stays_open():
    two = Two()

    async def main() -> None:
        taken = await UdpPort.open(LOOPBACK, two.ports["west"].nat_t, lambda *_: None)
        with pytest.raises(OSError, match="in use"):
            async with two.west:
                pass
        again = await UdpPort.open(LOOPBACK, two.ports["west"].ike, lambda *_: None)
        taken.close()
        again.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"remote_address": pack("192.0.2.2")}, "name 192.0.2.2 in beyond_loopback too"),
        ({"local_address": pack("192.0.2.1"), "remote_address": pack("192.0.2.2")}, "leaves this machine"),
        ({"local_address": pack("192.0.2.1")}, "leaves this machine"),
        ({"local_address": bytes(4)}, "those of one machine"),
        ({"remote_address": pack("224.0.0.1")}, "those of one machine"),
        ({"local_address": bytes(15) + b"\1", "remote_address": bytes(15) + b"\1"}, "IPv4 only"),
        ({"encap": False}, "needs encap"),
    ],
)
def test_what_emulation_refuses(changes: dict[str, object], complaint: str):
    with pytest.raises(LocalError, match=complaint):
        Gateway(
            "west",
            inner_address=WEST_INNER,
            connections=[connection("west", "east", **changes)],
            credentials=Credentials(),
        )


def test_a_peer_beyond_the_loopback_is_named_twice():
    there = pack("192.0.2.2")
    Gateway(
        "west",
        inner_address=WEST_INNER,
        connections=[connection("west", "east", local_address=pack("192.0.2.1"), remote_address=there)],
        credentials=Credentials(),
        beyond_loopback=[there],
    )


def test_nobody_to_talk_to_is_refused():
    with pytest.raises(LocalError, match="the same local address"):
        Gateway("west", inner_address=WEST_INNER, connections=[], credentials=Credentials())
