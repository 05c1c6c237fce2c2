"""Two IKE endpoints, datagrams in a list, and a clock moved by hand."""

from dataclasses import dataclass, field
from typing import Any

from ipsecsim.base.actions import Action
from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.crypto.certificate_path import Known
from ipsecsim.ike.actions import InstallChildSa, MoveChildSa, RemoveChildSa
from ipsecsim.ike.config import AuthKind, ChildConfig, Connection, HalfOpenLimits, LocalAuth, RemoteAuth
from ipsecsim.ike.credentials import Credentials, OwnKey, SharedSecret
from ipsecsim.ike.endpoint import IkeEndpoint
from ipsecsim.ike.identity import Identity, expected
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.ipsec.association import Mode, SaParameters
from ipsecsim.ipsec.options import SaOptions
from ipsecsim.scenario.lab_pki import Flaw, LabPki
from ipsecsim.scenario.swanctl.parse import ah_proposal, esp_proposal, ike_proposal

WEST, EAST = pack("192.0.2.1"), pack("192.0.2.2")
WEST_NET, EAST_NET = "10.1.0.0/24", "10.2.0.0/24"
PASSED_ON = (
    "encap",
    "dpd_delay",
    "half_open_timeout",
    "unique",
    "childless",
    "vips",
    "pools",
    "fragmentation",
    "fragment_size",
    "retransmit",
    "mobike",
    "message_id_sync",
    "nat_traversal",
    "rekey_time",
    "over_time",
    "rand_time",
    "reauth_time",
    "keyingtries",
)
"""What a connection takes as it is."""

PASSED_ON_TO_CHILD = ("start_action", "jitter", "inactivity", "close_action", "dpd_action")


@dataclass
class Side:
    """One endpoint, what it told, and what it asked for besides datagrams."""

    endpoint: IkeEndpoint
    address: bytes
    events: list[TraceEvent] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    sas: dict[tuple[str, int], SaParameters] = field(default_factory=dict)

    def seen(self, kind):
        """The events of a class."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def drops(self) -> list[DropReason]:
        """The reasons of all drops."""
        return [event.reason for event in self.seen(PacketDropped)]


class Pair:
    """`west` initiates. Nothing moves by itself: `deliver` takes the oldest datagram, `settle` all of them.

    `west` and `east` say what differs from the usual; `others` are further connections, with what differs there.
    `second`, our networks and the peer's, is a further child of the connection.
    """

    def __init__(
        self,
        *,
        seed: str = "pair",
        west: dict[str, object] | None = None,
        east: dict[str, object] | None = None,
        secrets: tuple[str, str] = ("secret", "secret"),
        limits: HalfOpenLimits | None = None,
        watched: bool = True,
        tells_strangers: bool = False,
        pki: LabPki | None = None,
    ) -> None:
        self.watched = watched
        self.tells_strangers = tells_strangers
        self.pki = pki
        keys = {
            name: self._own_keys(name, changes or {}) for name, changes in (("west", west), ("east", east))
        }
        self.keys = keys
        self.limits = limits
        self.now: Instant = 0
        self.wire: list[SendDatagram] = []
        self.sent: list[SendDatagram] = []
        self._as_west = ("west", WEST, EAST, WEST_NET, EAST_NET, secrets[0], west or {})
        self.west = self._side(seed, *self._as_west)
        self.east = self._side(seed, "east", EAST, WEST, EAST_NET, WEST_NET, secrets[1], east or {})

    def _side(self, seed, name, own, peer, own_net, peer_net, secret, changes) -> Side:
        several = [changes, *({**changes, **other} for other in changes.get("others", []))]
        connections = [
            self._connection(name, own, peer, own_net, peer_net, each, number)
            for number, each in enumerate(several)
        ]
        events: list[TraceEvent] = []
        endpoint = IkeEndpoint(
            connections,
            Credentials(
                [SharedSecret("ike-net", secret.encode())],
                self.keys[name],
                changes.get("known") or (self.pki.known() if self.pki else Known()),
            ),
            SeededEntropy(seed).fork(name),
            events.append if self.watched else None,
            self.limits,
            tells_strangers=self.tells_strangers,
            addresses=changes.get("addresses"),
        )
        return Side(endpoint, own, events)

    def _connection(self, name, own, peer, own_net, peer_net, changes, number) -> Connection:
        peer_name = "east" if name == "west" else "west"
        own_nets, peer_nets = changes.get("local_ts", [own_net]), changes.get("remote_ts", [peer_net])
        children = [self._child(f"net{number or ''}", own_nets, peer_nets, changes)]
        if "second" in changes:
            children.append(self._child("second", *changes["second"], changes))
        return Connection(
            f"net{number or ''}",
            own,
            changes.get("peer_address", peer),
            Identity.from_text(changes.get("id", f"{name}.example")),
            expected(changes.get("peer_id", f"{peer_name}.example")),
            tuple(ike_proposal(words) for words in changes.get("ike", ["aes256gcm16-prfsha256-x25519"])),
            tuple(children),
            local_auth=self._auth(LocalAuth, changes.get("local_auth")),
            remote_auth=self._auth(RemoteAuth, changes.get("remote_auth")),
            **{key: changes[key] for key in PASSED_ON if key in changes},
        )

    def _child(self, name, own_nets, peer_nets, changes) -> ChildConfig:
        return ChildConfig(
            name,
            self._selectors(own_nets),
            self._selectors(peer_nets),
            (
                *(esp_proposal(words) for words in changes.get("esp", ["aes256gcm16"])),
                *(ah_proposal(words) for words in changes.get("ah", [])),
            ),
            policy=name,
            options=changes.get("options", SaOptions()),
            mode=Mode(changes.get("mode", "tunnel")),
            from_packet=changes.get("from_packet", frozenset()),
            **{key: changes[key] for key in PASSED_ON_TO_CHILD if key in changes},
        )

    def _selectors(self, said):
        """Networks, or selectors as they are."""
        return tuple(traffic_selector(Prefix.parse(n)) if isinstance(n, str) else n for n in said)

    def _own_keys(self, name, changes) -> list[OwnKey]:
        """With a PKI each side has a key of its own: `kind`, `flaw` and `names` say which, or `keys` are given."""
        if self.pki is None or "keys" in changes:
            return changes.get("keys", [])
        names = changes.get("names", [changes.get("id", f"{name}.example")])
        identities = [Identity.from_text(each) for each in names]
        return [self.pki.own_key(name, identities, changes.get("flaw", Flaw.GOOD), changes.get("kind"))]

    def _auth(self, kind, said):
        """What a test says, else a public key where there is a PKI."""
        return said or kind(AuthKind.PSK if self.pki is None else AuthKind.PUBKEY)

    def another_west(self) -> None:
        """A second machine with the same name and secret takes west's place, and has heard of nothing."""
        self.west = self._side("another", *self._as_west)

    def side_of(self, address: bytes) -> Side:
        """The side that has an address; only west is ever elsewhere than at its usual one."""
        return self.east if address == EAST else self.west

    def perform(self, side: Side, actions: list[Action]) -> None:
        """Keep what an endpoint asked for: datagrams on the wire, SAs in a table."""
        for action in actions:
            if isinstance(action, SendDatagram):
                self.wire.append(action)
                self.sent.append(action)
                continue
            side.actions.append(action)
            if isinstance(action, InstallChildSa):
                side.sas[(action.parameters.direction.value, action.parameters.spi)] = action.parameters
            if isinstance(action, MoveChildSa):
                moved = side.sas[(action.direction.value, action.spi)]
                outer = action.outer
                moved.source, moved.destination = outer.source, outer.destination
                moved.udp_ports = outer.udp_ports
            if isinstance(action, RemoveChildSa):
                side.sas.pop((action.direction.value, action.spi), None)

    def initiate(self) -> None:
        """West begins."""
        self.perform(self.west, self.west.endpoint.initiate("net", self.now))

    def terminate(self, side: Side | None = None) -> None:
        """A side says goodbye."""
        side = side or self.west
        self.perform(side, side.endpoint.terminate("net", self.now))

    def forget(self) -> None:
        """Both sides lose their memory, and the wire is clean again."""
        for side in (self.west, self.east):
            self.perform(side, side.endpoint.forget())
            side.actions.clear()
        self.wire.clear()
        self.sent.clear()

    def inject(self, datagram: SendDatagram) -> None:
        """A datagram reaches the side it is for."""
        side = self.side_of(datagram.destination)
        path = Path(datagram.destination, datagram.destination_port, datagram.source, datagram.source_port)
        payload = datagram.payload[4:] if datagram.destination_port == 4500 else datagram.payload
        self.perform(side, side.endpoint.datagram(path, payload, self.now))

    def deliver(self) -> SendDatagram:
        """The oldest datagram arrives."""
        datagram = self.wire.pop(0)
        self.inject(datagram)
        return datagram

    def settle(self) -> None:
        """Everything that is on the wire arrives, and what follows from it."""
        for _ in range(500):
            if not self.wire:
                return
            self.deliver()
        raise AssertionError("the two sides never stop talking")

    def settle_without(self, lost: int) -> None:
        """The same, but that the datagram with this number from now on, counted from 0, never arrives.

        There has to be one; whoever misses it has the time to say it again.
        """
        for _ in range(lost):
            self.deliver()
        self.wire.pop(0)
        self.settle()
        self.wait_until(self.now + 8 * SECOND)
        self.settle()

    def establish(self) -> None:
        """A whole handshake."""
        self.initiate()
        self.settle()

    @property
    def is_up(self) -> bool:
        """Each side has one pair of SAs."""
        return len(self.west.sas) == len(self.east.sas) == 2

    def wait_until(self, at: Instant) -> None:
        """Let time pass; every timer rings at its own deadline. Datagrams stay on the wire."""
        while True:
            due = [
                (deadline, side)
                for side in (self.west, self.east)
                if (deadline := side.endpoint.next_deadline()) is not None and deadline <= at
            ]
            if not due:
                break
            deadline, side = min(due, key=lambda pair: pair[0])
            self.now = max(self.now, deadline)
            self.perform(side, side.endpoint.handle_timeout(self.now))
        self.now = at


def established(**options: Any) -> Pair:
    """Two sides that have nothing more to say."""
    pair = Pair(**options)
    pair.establish()
    return pair


def half_way(**options: Any) -> Pair:
    """East has answered IKE_SA_INIT; west's IKE_AUTH is lost."""
    pair = Pair(**options)
    pair.initiate()
    pair.deliver()
    pair.deliver()
    pair.wire.clear()
    return pair


def to_east(raw: bytes) -> SendDatagram:
    """A message to east that says it comes from west."""
    return SendDatagram(WEST, 500, EAST, 500, raw)
