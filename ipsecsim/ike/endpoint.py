"""The IKE engine of one node: finds the SA a message is for, and is the one door for hostile bytes."""

from collections.abc import Callable, Sequence

from ipsecsim.base.actions import Action
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import LocalError, RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.config import ANYWHERE, ChildConfig, Connection, HalfOpenLimits, StartAction
from ipsecsim.ike.credentials import Credentials
from ipsecsim.ike.errors import IkeError, NoProposalChosen, NoSuchSa, UnsupportedVersion
from ipsecsim.ike.events import CookieDemanded
from ipsecsim.ike.half_open import Beginning, CookieRequired
from ipsecsim.ike.notices import Notices, is_one_way
from ipsecsim.ike.pools import Leases
from ipsecsim.ike.sa_table import SaTable
from ipsecsim.ike.trigger import Trigger
from ipsecsim.ike.v2 import message_id_sync
from ipsecsim.ike.v2.children import child_life, configuration
from ipsecsim.ike.v2.children.child import IP_PROTOCOL, ChildSa
from ipsecsim.ike.v2.duties.tasks import CreateChild, RekeyIke
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ike.v2.paths import following, moving
from ipsecsim.ike.v2.peer.diagnosis import tell_of
from ipsecsim.ike.v2.renewal import reauthentication
from ipsecsim.ike.v2.sa import NO_SPI, IkeSa
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import Expired, Expiring
from ipsecsim.ipsec.association import FIRST_SPI, Direction
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType
from ipsecsim.wire.numbers import IKE_PORT, IpProtocol

LastUsed = Callable[[Direction, int, int, bytes | None], Instant]
"""By direction, SPI, IP protocol and, for an outbound SA, outer destination; -1 for never."""


class IkeEndpoint:
    """Speaks IKEv2 for one node. Owns no clock, no chance and no socket.

    `addresses` are those of the node that IKE may use, the best first; without a list nobody moves. `last_used` is
    the IPsec engine's answer to when an SA last carried a packet.
    """

    def __init__(
        self,
        connections: Sequence[Connection],
        credentials: Credentials,
        entropy: Entropy,
        tap: Tap | None = None,
        limits: HalfOpenLimits | None = None,
        *,
        tells_strangers: bool = False,
        addresses: Sequence[bytes] | None = None,
        last_used: LastUsed | None = None,
    ) -> None:
        self.connections = tuple(connections)
        self.credentials = credentials
        self.leases = Leases()
        self.tap = tap
        self.addresses: tuple[bytes, ...] | None = None if addresses is None else tuple(addresses)
        self._entropy = entropy
        self._last_used = last_used
        self._trapped = {
            child.policy
            for connection in connections
            for child in connection.children
            if child.start_action is not StartAction.NONE
        }
        self._notices = Notices(tells_strangers=tells_strangers, tap=tap)
        self._sas = SaTable(limits or HalfOpenLimits(), entropy.fork("cookies"))

    # -- feed verbs -----------------------------------------------------------------------------

    def datagram(self, path: Path, message: bytes, now: Instant) -> list[Action]:
        """Take in an IKE message (without the non-ESP marker). Never raises for what is in it."""
        sa: IkeSa | None = None
        header: IkeHeader | None = None
        actions: list[Action] = []
        try:
            header = IkeHeader.parse(message)
            if is_one_way(header) and not self._sas.is_named(header):
                return self._notices.heard(self.sas, parse_message(message)[1], path, now)
            sa = self._sas.find(header, message, path)
            _, outer = parse_message(message)
            sa = sa or self._respond_to(header, outer, message, path, now)
            sa.message(header, outer, message, path, now, actions)
        except RemoteError as error:
            self._dropped(error, message)
            if sa is not None and header is not None and not header.is_response:
                tell_of(sa, error, header.exchange)
            if header is not None:
                actions += self._refuse(sa, header, message, error, path, now)
        if sa is not None:
            self._sas.file(sa, path)
        return actions

    def initiate(self, policy: str, now: Instant, trigger: Trigger | None = None) -> list[Action]:
        """Bring up the child that serves an SPD rule; nothing happens when it is up or on its way.

        `trigger` is the packet that asks for it: where the child that is up does not carry that, there is to be one
        more. Raises LocalError when no child serves that rule.
        """
        connection, wanted = self._configured(policy)
        if connection.remote_address == ANYWHERE:
            return [ChildGivenUp(policy)]
        if any(sa.will_carry(wanted, trigger) for sa in self._sas):
            return []
        ours = [sa for sa in self._sas if sa.connection is connection]
        if trigger and any(configuration.is_foreign(sa, wanted, trigger.flow.source) for sa in ours):
            return [*CreateChild(wanted, trigger=trigger).given_up()]
        if trigger is not None and any(sa.is_carrying(wanted) for sa in self._sas):
            trigger = trigger.alone()  # the peer did not want more of the rule in one child
        path = Path(self._own_address(connection), IKE_PORT, connection.remote_address, IKE_PORT)
        for standing in self._sas:
            if standing.connection is connection and standing.can_have_children:
                # RFC 7296 1.3.1: a further child needs no IKE SA of its own
                return standing.enqueue(CreateChild(wanted, trigger=trigger), now)
        sa = self._new_sa([connection], path, is_initiator=True)
        actions = sa.initiate(wanted, now, trigger)
        self._sas.file(sa, path)
        return actions

    def acquire(self, policy: str, trigger: Trigger, now: Instant) -> list[Action]:
        """Traffic has met an SPD rule without an SA: bring its child up, where traffic may ask for it."""
        _, wanted = self._configured(policy)
        if policy in self._trapped or any(sa.is_carrying(wanted) for sa in self._sas):
            return self.initiate(policy, now, trigger)
        return [ChildGivenUp(policy, trigger.only)]

    def terminate(self, policy: str, now: Instant) -> list[Action]:
        """Delete the IKE SA that carries the child that serves an SPD rule, and the child with it.

        One of the same connection that came to no child goes too: nothing else would end it.
        """
        connection, wanted = self._configured(policy)
        actions: list[Action] = []
        for sa in self._sas:
            is_left_over = sa.connection is connection and sa.can_have_children and not sa.children
            if sa.is_carrying(wanted) or is_left_over:
                actions += sa.terminate(now)
                self._sas.file(sa, sa.path)
        return actions

    def terminate_child(self, policy: str, now: Instant) -> list[Action]:
        """Delete the child that serves an SPD rule; its IKE SA stays."""
        _, wanted = self._configured(policy)
        actions: list[Action] = []
        for sa in self._sas:
            for task in sa.agenda.children:
                if task.config is wanted:
                    task.is_unwanted = True
                    actions.append(ChildGivenUp(policy))
            for child in sa.children:
                if child.config is wanted:
                    actions += child_life.close(sa, child, now)
        return actions

    def rekey(self, policy: str, now: Instant) -> list[Action]:
        """Give the child that serves an SPD rule new keys."""
        _, wanted = self._configured(policy)
        actions: list[Action] = []
        for sa in self._sas:
            for child in list(sa.children):
                if child.config is wanted:
                    actions += child_life.replace(sa, child, now)
        return actions

    def close_child(self, destination: bytes, spi_out: int, now: Instant) -> list[Action]:
        """The node cannot have the child that sends to a peer's address and SPI: tell the peer that it goes."""
        actions: list[Action] = []
        for sa in self._sas:
            for child in sa.children:
                if (child.destination, child.spi_out) == (destination, spi_out):
                    actions += child_life.close(sa, child, now)
        return actions

    def rekey_ike(self, policy: str, now: Instant) -> list[Action]:
        """Replace the IKE SA that carries the child that serves an SPD rule."""
        _, wanted = self._configured(policy)
        actions: list[Action] = []
        for sa in self._sas:
            if sa.state is State.ESTABLISHED and sa.is_carrying(wanted):
                actions += sa.enqueue(RekeyIke(), now)
        return actions

    def reauthenticate(self, policy: str, now: Instant) -> list[Action]:
        """Let both ends prove anew who they are, in a new IKE SA in the place of the one that carries a child."""
        _, wanted = self._configured(policy)
        actions: list[Action] = []
        for sa in self._sas:
            if sa.is_carrying(wanted):
                actions += reauthentication.begin(sa, now)
        return actions

    def synchronise(self, policy: str, now: Instant) -> list[Action]:
        """This node has taken over the IKE SA of a child, and may have missed its last messages (RFC 6311)."""
        return message_id_sync.begin(self.sas, self._configured(policy)[1], now)

    def expiring(self, limit: Expiring, now: Instant) -> list[Action]:
        """An SA has come to a soft limit: its child gets new keys. SAs by hand are nothing to us."""
        found = child_life.holder(self._sas, limit)
        return [] if found is None else child_life.replace(*found, now)

    def expired(self, limit: Expired, now: Instant) -> list[Action]:
        """An SA has come to a hard limit, and is gone already."""
        found = child_life.holder(self._sas, limit)
        return [] if found is None else child_life.over(*found, now)

    def addresses_changed(
        self, addresses: Sequence[bytes], now: Instant, *, preferred: bytes | None = None
    ) -> list[Action]:
        """The node's addresses are these now, the best first. `preferred` is one that IKE is to move to."""
        self.addresses = tuple(addresses)
        actions: list[Action] = []
        for sa in self._sas:
            actions += following.own_addresses_changed(sa, preferred, now)
            self._sas.file(sa, sa.path)
        return actions

    def path_hint(self, peer: bytes, now: Instant, mtu: int = 0) -> list[Action]:
        """Somebody says that a peer cannot be reached, so it is asked (RFC 4555 3.5); or only by `mtu` bytes."""
        actions: list[Action] = []
        for sa in self._sas:
            if sa.path.remote == peer:
                actions += moving.hint(sa, now, mtu)
        return actions

    def forget(self) -> list[Action]:
        """Drop every IKE SA without a word to anybody, as a node does that loses its memory."""
        actions: list[Action] = []
        for sa in self._sas:
            actions += sa.fail()
            self._sas.file(sa, sa.path)
        return actions

    def unknown_spi(self, spi: int, path: Path, length: int, now: Instant) -> list[Action]:
        """ESP or AH of so many bytes came that way for an SA that is not here (RFC 7296 1.5)."""
        return [*self._notices.unknown_spi(self.sas, spi, path, length, now)]

    def wrong_selectors(self, protocol: IpProtocol, spi: int, inner: bytes, now: Instant) -> list[Action]:
        """A packet came out of an SA that is not for it (RFC 4301 5.2)."""
        return [*self._notices.wrong_selectors(self.sas, protocol, spi, inner, now)]

    def next_deadline(self) -> Instant | None:
        """When the earliest timer of any SA is due."""
        deadlines = [at for sa in self._sas if (at := sa.next_deadline()) is not None]
        return min(deadlines, default=None)

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        actions: list[Action] = []
        for sa in self._sas:
            due = sa.next_deadline()
            if due is not None and due <= now:
                actions += sa.handle_timeout(now)
                self._sas.file(sa, sa.path)
        return actions

    @property
    def sas(self) -> tuple[IkeSa, ...]:
        """Every IKE SA that is not dead, oldest first."""
        return tuple(self._sas)

    @property
    def is_busy(self) -> bool:
        """Is an answer waited for, or an initiator that has begun?"""
        return any(sa.window.outstanding or sa.state is not State.ESTABLISHED for sa in self._sas)

    # -- beginning -------------------------------------------------------------------------------

    def _respond_to(
        self, header: IkeHeader, outer: Sequence[Payload], message: bytes, path: Path, now: Instant
    ) -> IkeSa:
        # whoever is known by its address comes before those who may be anywhere
        candidates = [
            connection
            for remote in (path.remote, ANYWHERE)
            for connection in self.connections
            if (connection.local_address, connection.remote_address) == (path.local, remote)
        ]
        if not candidates:
            raise NoProposalChosen("no connection for this address")
        key = Beginning.of(header.spi_i, path, message)
        has_shown_its_address = self._sas.half_open.admit(key, outer, self._sas.standing, now)
        sa = self._new_sa(candidates, path, is_initiator=False, spi_i=header.spi_i)
        sa.has_shown_its_address = has_shown_its_address
        return sa

    def _new_sa(
        self, candidates: Sequence[Connection], path: Path, *, is_initiator: bool, spi_i: bytes = b""
    ) -> IkeSa:
        own_spi = self.ike_spi()
        return IkeSa(
            is_initiator=is_initiator,
            candidates=candidates,
            path=path,
            spi_i=own_spi if is_initiator else spi_i,
            spi_r=NO_SPI if is_initiator else own_spi,
            credentials=self.credentials,
            entropy=self.entropy_for(own_spi),
            node=self,
            tap=self.tap,
        )

    def _own_address(self, connection: Connection) -> bytes:
        """The connection's own address, or another one of the node when that is not to be had at present."""
        wanted = connection.local_address
        usable = [each for each in self.addresses or () if len(each) == len(wanted)]
        return wanted if wanted in usable or not usable else usable[0]

    def _configured(self, policy: str) -> tuple[Connection, ChildConfig]:
        for connection in self.connections:
            for child in connection.children:
                if child.policy == policy:
                    return connection, child
        raise LocalError(f"no connection has a child for the policy {policy!r}")

    # -- what the SAs ask for -------------------------------------------------------------------

    def ike_spi(self) -> bytes:
        """A fresh SPI for an IKE SA of this node."""
        return self._entropy.fork("ike spi").bytes(8)

    def entropy_for(self, own_spi: bytes) -> Entropy:
        """The chance that belongs to the IKE SA with this SPI."""
        return self._entropy.once(f"ike sa {own_spi.hex()}")

    def adopt(self, heir: IkeSa) -> None:
        """Keep an IKE SA that came out of another one."""
        self._sas.add(heir)

    def another(self, like: IkeSa) -> IkeSa:
        """A new IKE SA with the peer of that one, for this node to begin."""
        path = like.path
        if not like.peer_is_behind_nat:
            path = Path(path.local, IKE_PORT, path.remote, IKE_PORT)
        return self._new_sa([like.connection], path, is_initiator=True)

    def react(self, child: ChildConfig, action: StartAction, now: Instant) -> list[Action]:
        """A child went that nobody here closed: do what is configured for that, unless another one is there."""
        if any(sa.is_carrying(child) for sa in self._sas):
            return []
        if action is StartAction.TRAP:
            self._trapped.add(child.policy)
        return self.initiate(child.policy, now) if action is StartAction.START else []

    def last_used(self, child: ChildSa) -> Instant:
        """When a packet last went through a child, either way; -1 when none did."""
        if self._last_used is None:
            return -1
        protocol = IP_PROTOCOL[child.protocol]
        return max(
            self._last_used(Direction.INBOUND, child.spi_in, protocol, None),
            self._last_used(Direction.OUTBOUND, child.spi_out, protocol, child.destination),
        )

    def release(self, gone: IkeSa) -> None:
        """Know no more of an IKE SA that came to its end by what happened to another one."""
        self._sas.file(gone, gone.path)

    def child_spi(self) -> int:
        """An inbound SPI that no living IKE SA of this node has for a child, up or on its way."""
        entropy = self._entropy.fork("esp spi")
        taken = {spi for sa in self._sas for spi in sa.spis_in}
        while True:
            spi = int.from_bytes(entropy.bytes(4), "big")
            if spi >= FIRST_SPI and spi not in taken:
                return spi

    # -- refusing -------------------------------------------------------------------------------

    def _refuse(
        self,
        sa: IkeSa | None,
        header: IkeHeader,
        message: bytes,
        error: RemoteError,
        path: Path,
        now: Instant,
    ) -> list[Action]:
        if header.major_version > 2 and not header.is_response and header.spi_i != NO_SPI:
            unsupported = UnsupportedVersion(f"major version {header.major_version}")
            return [*self._notices.other_version(header, unsupported, path, now)]
        if sa is not None and sa.state is not State.IDLE:
            return sa.refuse(header, error, path, now)
        if isinstance(error, NoSuchSa):
            return [*self._notices.unknown_ike_spi(header, message, path, now)]
        begins = header.exchange == ExchangeType.IKE_SA_INIT
        if header.is_response or not begins or not isinstance(error, IkeError) or error.notify is None:
            return []
        if error.notify == NotifyType.INVALID_SYNTAX:
            return []  # RFC 7296 3.10.1: only ever sealed, so that a forged message draws nothing
        # no SA, so nothing to remember: a short answer in clear (RFC 7296 2.5, 2.21.1)
        return [self._notices.refuse(header, Notify(error.notify, error.notify_data), path)]

    def _dropped(self, error: RemoteError, message: bytes) -> None:
        if self.tap is not None:
            if isinstance(error, CookieRequired):
                self.tap(CookieDemanded(len(self._sas.half_open)))
            self.tap(PacketDropped(error.reason, message, str(error)))
