"""A wire between two network namespaces: our gateway at one end, a charon at the other."""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.instant import SECOND, Duration
from ipsecsim.base.trace import TraceEvent
from ipsecsim.emulation.gateway import COOKIES_ALWAYS, Gateway
from ipsecsim.emulation.namespace import Namespace
from ipsecsim.emulation.strongswan import PeerConfig, StrongSwan
from ipsecsim.emulation.vici_text import Table
from ipsecsim.ike.config import ChildConfig, Childless, Connection, Fragmentation, HalfOpenLimits, Mobike
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ike.pools import Pool
from ipsecsim.ike.retransmit import RetransmitPolicy
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario.swanctl.parse import esp_proposal, ike_proposal
from ipsecsim.views.text import story
from ipsecsim.wire.ike.traffic_selector import TrafficSelector
from tests.interop import masquerade
from tests.interop.held import CertificateProof, Held, by_certificate, by_secret
from tests.interop.row import Row, timed

OUR_OTHER, PEER_OTHER = "192.0.2.3", "192.0.2.4"  # for cases with MOBIKE
OUR_ADDRESS, PEER_ADDRESS = "192.0.2.1", "192.0.2.2"
OUR_INNER, PEER_INNER = "10.1.0.1", "10.2.0.1"
OUR_INNER_6, PEER_INNER_6, PEER_INNER_2 = "fd01::1", "fd02::1", "10.3.0.1"
OUR_NET, PEER_NET = "10.1.0.0/24", "10.2.0.0/24"
OUR_ID, PEER_ID = "ours.example", "charon.example"
SECRET = "the same on both sides"  # noqa: S105 - of a test
LIMIT = 40 * SECOND  # for one case, start and end of charon included


@dataclass(frozen=True)
class Case:
    """One conversation with a charon. `play` goes through its steps; the rest is configuration."""

    name: str
    role: str  # what we are: initiator or responder
    play: "Play"
    ike: str = "aes256gcm16-prfsha256-x25519"
    esp: str = "aes256gcm16"
    our_secret: str = SECRET
    our_id: str = OUR_ID
    expected_id: str = OUR_ID  # what charon is told about us
    peer_id: str = PEER_ID
    dpd_delay: Duration = 0
    limits: HalfOpenLimits = COOKIES_ALWAYS
    our_ike: str = ""  # where it differs from the peer's
    our_esp: str = ""
    our_remote_ts: str = PEER_NET
    second_net: str = ""  # of ours, for a child called second
    fragmentation: Fragmentation = Fragmentation.YES
    childless: Childless = Childless.ALLOW
    fragment_size: int = 0
    retransmit: RetransmitPolicy = field(default_factory=RetransmitPolicy)
    peer_remote_ts: str = OUR_NET
    our_local_ts: str = OUR_NET
    peer_local_ts: str = PEER_NET
    vips: tuple[str, ...] = ()  # that we ask for; what charon asks for is in `options`
    our_pools: tuple[Pool, ...] = ()
    peer_pools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    another_id: str = ""  # of ours, for a connection of its own whose child is called other
    proof: CertificateProof | None = None  # else a shared secret
    is_masqueraded: bool = False  # by a box between the two
    mobike: Mobike | None = None
    message_id_sync: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    child_options: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    our_times: Mapping[str, Duration] = field(default_factory=dict)  # of our connection
    our_child: Mapping[str, object] = field(default_factory=dict)  # what else our children are told

    @property
    def key(self) -> str:
        """By which it is asked for."""
        return f"{self.role}: {self.name}"


class Lab:
    """What a case has in its hands."""

    def __init__(
        self,
        case: Case,
        gateway: Gateway,
        charon: StrongSwan,
        recorder: Recorder,
        namespace: Namespace,
    ) -> None:
        self.case = case
        self.gateway = gateway
        self.charon = charon
        self.recorder = recorder
        self._namespace = namespace  # charon's
        self.rows: list[Row] = []
        self.peer = "strongSwan"
        self._send = gateway.driver.performers[SendDatagram]

    def step(self, name: str) -> AbstractContextManager[None]:
        """A part of the conversation that gets its own row; when it fails, the case ends."""
        return timed(self.rows, Row(self.peer, self.case.role, self.case.name, name, "FAILED", 0.0))

    async def until(self, condition: Callable[[], bool], what: str, within: Duration = 5 * SECOND) -> None:
        """Wait for our side."""
        assert await self.gateway.driver.until(condition, within=within), f"waited in vain: {what}"

    async def until_charon(
        self, condition: Callable[[list[Table]], bool], what: str, within: Duration = 5 * SECOND
    ) -> list[Table]:
        """Wait for charon's side. Its IKE SAs, once it lists them as they are to be."""
        end = time.monotonic() + within / SECOND
        while not condition(sas := await self.charon.sas()):
            assert time.monotonic() < end, f"waited in vain: {what}; charon has {sas}"
            await asyncio.sleep(0.02)
        return sas

    def seen(self, kind: type[TraceEvent], **facts: object) -> list[TraceEvent]:
        """Our events of a class that hold these facts."""
        return [
            event
            for _, event in self.recorder.of(kind)
            if all(getattr(event, name) == value for name, value in facts.items())
        ]

    def hold(self) -> list[SendDatagram]:
        """From now on what we send stays here; `release` sends it."""
        held: list[SendDatagram] = []
        self.gateway.driver.performers[SendDatagram] = held.append
        return held

    def let_one_through(self, held: list[SendDatagram]) -> None:
        """Send the first of what was held; the others, and all that comes, still stay here."""
        self.gateway.driver.turn("script", lambda: self._send(held.pop(0)) or [])

    def unplug(self) -> None:
        """From now on neither side hears the other."""
        subprocess.run(["ip", "link", "set", "outer", "down"], check=True)

    def plug(self) -> None:
        """They hear each other again."""
        subprocess.run(["ip", "link", "set", "outer", "up"], check=True)

    def lose(self, address: str) -> None:
        """An address of ours is gone."""
        subprocess.run(["ip", "addr", "del", address, "dev", "outer"], check=True)

    async def charon_loses(self, address: str) -> None:
        """An address of charon's is gone; its kernel tells it."""
        (await self._namespace.run("ip", "addr", "del", address, "dev", "outer")).check()

    def release(self, held: list[SendDatagram]) -> None:
        """Send what was held, and all that comes."""
        self.gateway.driver.performers[SendDatagram] = self._send
        self.gateway.driver.turn("script", lambda: list(held))


Play = Callable[[Lab], Awaitable[None]]


async def run(case: Case) -> list[dict[str, object]]:
    """Set up the wire, play the case, take everything down. Only inside a network namespace of our own."""
    rows: list[Row] = []
    detail = ""
    try:
        async with asyncio.timeout(LIMIT / SECOND), _lab(case) as lab:
            rows = lab.rows
            try:
                await case.play(lab)
            except BaseException:
                detail = _both_sides(lab)
                raise
    except Exception as failure:
        if not rows or rows[-1].result == "ok":
            rows.append(Row("strongSwan", case.role, case.name, "start and end", "FAILED", 0.0))
        rows[-1].detail = f"{type(failure).__name__}: {failure}\n{detail}"
    return [asdict(row) for row in rows]


@asynccontextmanager
async def _lab(case: Case) -> AsyncIterator[Lab]:
    recorder, held = Recorder(), _held(case)
    with tempfile.TemporaryDirectory(prefix="ipsecsim-interop-") as folder:
        async with Namespace() as namespace, AsyncExitStack() as others:
            if case.is_masqueraded:
                box = await others.enter_async_context(Namespace())
                await masquerade.lay(OUR_ADDRESS, PEER_ADDRESS, box, namespace)
            else:
                await _lay_wire(namespace)
            await _lay_inside(namespace)
            if case.mobike is not None:
                await _give_second_addresses(namespace)
            async with (
                StrongSwan(_peer(case, held), Path(folder), namespace) as charon,
                _gateway(case, held, recorder) as gateway,
            ):
                lab = Lab(case, gateway, charon, recorder, namespace)
                lab.peer = f"strongSwan {await charon.version()}"
                yield lab


async def _lay_wire(namespace: Namespace) -> None:
    here = (
        f"link add outer type veth peer name outer netns {namespace.process_id}",
        f"addr add {OUR_ADDRESS}/24 dev outer",
        "link set outer up",
    )
    there = (f"addr add {PEER_ADDRESS}/24 dev outer", "link set outer up")
    for words in here:
        subprocess.run(["ip", *words.split()], check=True)
    for words in there:
        (await namespace.run("ip", *words.split())).check()


async def _lay_inside(namespace: Namespace) -> None:
    """The peer's inner addresses lie on its loopback, ours exist in our own stack only."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (f"{PEER_INNER}/24", f"{PEER_INNER_2}/24", f"{PEER_INNER_6}/64 nodad"):
        (await namespace.run("ip", "addr", "add", *address.split(), "dev", "lo")).check()


async def _give_second_addresses(namespace: Namespace) -> None:
    """To both ends. The shorter network keeps each of them from going away with the first one."""
    subprocess.run(["ip", "addr", "add", f"{OUR_OTHER}/25", "dev", "outer"], check=True)
    (await namespace.run("ip", "addr", "add", f"{PEER_OTHER}/25", "dev", "outer")).check()


def _held(case: Case) -> Held:
    if case.proof is None:
        return by_secret(case.our_secret)
    return by_certificate(case.proof, case.our_id, case.peer_id)


def _peer(case: Case, held: Held) -> PeerConfig:
    return PeerConfig(
        local_address=PEER_ADDRESS,
        remote_address=masquerade.OUTSIDE if case.is_masqueraded else OUR_ADDRESS,
        local_id=case.peer_id,
        remote_id=case.expected_id,
        secret=SECRET,
        local_ts=case.peer_local_ts,
        remote_ts=case.peer_remote_ts,
        proposals=case.ike,
        esp_proposals=case.esp,
        options=case.options,
        child_options=case.child_options,
        more_children={"second": case.second_net} if case.second_net else {},
        settings=case.settings,
        pools=case.peer_pools,
        local=held.peer_local,
        remote=held.peer_remote,
        files=held.files,
    )


def _gateway(case: Case, held: Held, recorder: Recorder) -> Gateway:
    nets = {"net": case.our_local_ts} | ({"second": case.second_net} if case.second_net else {})
    connections = [_connection("charon", case, case.our_id, nets, held)]
    if case.another_id:
        connections.append(_connection("another", case, case.another_id, {"other": case.our_local_ts}, held))
    return Gateway(
        "ours",
        inner_address=pack(OUR_INNER),
        more_inner=[pack(OUR_INNER_6)],
        connections=connections,
        credentials=held.ours,
        more_outer=[] if case.mobike is None else [pack(OUR_OTHER)],
        beyond_loopback=[pack(PEER_ADDRESS), pack(PEER_OTHER)],
        limits=case.limits,
        run_time=LIMIT,
        observer=recorder.tell,
    )


def _connection(name: str, case: Case, our_id: str, nets: Mapping[str, str], held: Held) -> Connection:
    children = tuple(
        ChildConfig(
            child,
            _selectors(net),
            _selectors(case.our_remote_ts),
            (esp_proposal(case.our_esp or case.esp),),
            policy=child,
            **case.our_child,  # type: ignore[arg-type]
        )
        for child, net in nets.items()
    )
    return Connection(
        name,
        pack(OUR_ADDRESS),
        pack(PEER_ADDRESS),
        Identity.from_text(our_id),
        Identity.from_text(case.peer_id),
        (ike_proposal(case.our_ike or case.ike),),
        children,
        encap=True,
        dpd_delay=case.dpd_delay,
        retransmit=case.retransmit,
        fragmentation=case.fragmentation,
        childless=case.childless,
        fragment_size=case.fragment_size,
        local_auth=held.local_auth,
        remote_auth=held.remote_auth,
        vips=tuple(map(pack, case.vips)),
        pools=case.our_pools,
        mobike=case.mobike,
        message_id_sync=case.message_id_sync,
        **case.our_times,  # type: ignore[arg-type]
    )


def _selectors(words: str) -> tuple[TrafficSelector, ...]:
    return tuple(traffic_selector(Prefix.parse(net)) for net in words.split(","))


def _both_sides(lab: Lab) -> str:
    """The end of our story and of charon's log, for whoever has to find out."""
    return "\n".join(["-- we:", *list(story(lab.recorder))[-12:], "-- charon:", lab.charon.log_tail()])
