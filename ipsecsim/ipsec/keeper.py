"""SAs come, are watched while they live, and go (RFC 4301 4.4.2)."""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.base.timers import Timers
from ipsecsim.base.trace import Tap
from ipsecsim.ipsec import expiry
from ipsecsim.ipsec.actions import Expired, Expiring
from ipsecsim.ipsec.association import Direction, Mode, Outer, SaParameters, SecurityAssociation
from ipsecsim.ipsec.events import SaExpired, SaExpiring, SaInstalled, SaMoved, SaRemoved
from ipsecsim.ipsec.expiry import Limit
from ipsecsim.ipsec.lifetime import ENDLESS
from ipsecsim.ipsec.path_mtu import PathMtus
from ipsecsim.ipsec.policy import SecurityPolicyDatabase
from ipsecsim.ipsec.sad import SecurityAssociationDatabase
from ipsecsim.ipsec.surroundings import Surroundings


class SaKeeper:
    """The one place where an SA enters the SAD or leaves it.

    `without_successor` holds the rules whose last SA came to a hard limit.
    """

    def __init__(
        self,
        sad: SecurityAssociationDatabase,
        spd: SecurityPolicyDatabase,
        path_mtus: PathMtus,
        surroundings: Surroundings,
        tap: Tap | None,
    ) -> None:
        self.without_successor: set[str] = set()
        self.tap = tap
        self._sad = sad
        self._spd = spd
        self._path_mtus = path_mtus
        self._surroundings = surroundings
        self._timers: Timers[SecurityAssociation] = Timers()

    def install(self, parameters: SaParameters, now: Instant) -> SecurityAssociation:
        """Take up an SA. Raises LocalError for nonsense."""
        sa = SecurityAssociation.install(parameters, now, self._surroundings.fresh_identification)
        self._watch(sa)
        if parameters.direction is Direction.OUTBOUND:
            self._path_mtus.refresh(sa)
            self.without_successor.discard(parameters.policy)
        self._sad.add(sa)
        self._spd.sa_came(parameters.policy, parameters.selectors)
        if self.tap is not None:
            self.tap(
                SaInstalled(
                    parameters.spi,
                    parameters.direction.value,
                    parameters.policy,
                    parameters.source,
                    parameters.destination,
                    parameters.suite.words,
                    parameters.mode.value,
                    parameters.encryption_key,
                    parameters.integrity_key,
                    parameters.udp_ports,
                    tuple(str(selector) for selector in parameters.selectors),
                    parameters.sequence,
                    parameters.extended_sequence,
                    parameters.protocol.name,
                )
            )
        return sa

    def remove(self, direction: Direction, spi: int, protocol: int, destination: bytes | None) -> None:
        """Take an SA out; harmless when it is not there. `destination` as in `sad.find`."""
        sa = self._sad.remove(direction, spi, protocol, destination)
        if sa is not None:
            self._removed(sa)

    def remove_all(self) -> None:
        """Take every SA out."""
        for sa in self._sad.all():
            self._sad.forget(sa)
            self._removed(sa)

    def move(
        self, direction: Direction, spi: int, protocol: int, outer: Outer, destination: bytes | None
    ) -> None:
        """Let an SA go on between other outer addresses; harmless when it is not there, or has them already.

        What is known about the path is forgotten: it is another one. Transport mode stays as it is: its addresses
        are those of the traffic itself.
        """
        sa = self._sad.find(direction, spi, protocol, destination)
        if sa is None or sa.parameters.mode is Mode.TRANSPORT:
            return
        before = sa.parameters
        if outer == Outer(before.source, before.destination, before.udp_ports):
            return
        sa.move(outer, self._surroundings.fresh_identification)
        if direction is Direction.OUTBOUND:
            self._path_mtus.forget(sa)
            sa.path_mtu = None
            self._path_mtus.refresh(sa)
        if self.tap is not None:
            self.tap(
                SaMoved(
                    sa.spi,
                    direction.value,
                    before.policy,
                    before.protocol.name,
                    (before.source, before.destination),
                    (outer.source, outer.destination),
                    outer.udp_ports,
                )
            )

    def ended(self, sa: SecurityAssociation, length: int, now: Instant) -> Expired | None:
        """The SA is gone, and this is to be told, when one more packet of so many bytes goes over a hard limit."""
        limit = expiry.hard_limit(sa, length, now)
        if limit is None:
            return None
        if self._sad.forget(sa):
            self._expired(sa, limit)
        parameters = sa.parameters
        return Expired(parameters.policy, parameters.direction, sa.spi, parameters.protocol, limit)

    def ask(self, sa: SecurityAssociation, length: int, now: Instant) -> list[Action]:
        """Tell once that one more packet brings an SA to a soft limit; then only its hard one is watched."""
        limit = expiry.soft_limit(sa, length, now)
        if limit is None:
            return []
        sa.has_expired_softly = True
        self._watch(sa)
        parameters = sa.parameters
        if self.tap is not None:
            self.tap(
                SaExpiring(
                    sa.spi,
                    parameters.direction.value,
                    parameters.policy,
                    parameters.protocol.name,
                    limit.value,
                )
            )
        return [Expiring(parameters.policy, parameters.direction, sa.spi, parameters.protocol)]

    def next_deadline(self) -> Instant | None:
        """When an SA comes to a limit of time."""
        return self._timers.next_deadline()

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        actions: list[Action] = []
        for sa in self._timers.pop_expired(now):
            gone = self.ended(sa, 0, now)
            actions += self.ask(sa, 0, now) if gone is None else [gone]
        return actions

    def _watch(self, sa: SecurityAssociation) -> None:
        expiry.set_marks(sa)
        if sa.look_at < ENDLESS:
            self._timers.set(sa, sa.look_at)

    def _expired(self, sa: SecurityAssociation, limit: Limit) -> None:
        parameters = sa.parameters
        if self.tap is not None:
            self.tap(
                SaExpired(
                    sa.spi,
                    parameters.direction.value,
                    parameters.policy,
                    parameters.protocol.name,
                    limit.value,
                    parameters.source,
                    parameters.destination,
                    tuple(str(selector) for selector in parameters.selectors),
                    sa.sequence if parameters.direction is Direction.OUTBOUND else sa.replay.top,
                )
            )
        if parameters.direction is Direction.OUTBOUND:
            self.without_successor.add(parameters.policy)
        self._removed(sa)

    def _removed(self, sa: SecurityAssociation) -> None:
        self._timers.cancel(sa)
        self._path_mtus.forget(sa)
        parameters = sa.parameters
        self._spd.sa_went(parameters.policy, parameters.selectors)
        if self.tap is not None:
            self.tap(SaRemoved(sa.spi, parameters.direction.value, parameters.policy, sa.packets, sa.octets))
