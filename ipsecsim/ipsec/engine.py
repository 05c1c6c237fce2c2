"""The IPsec engine of one node: SPD, SAD, and the packets that wait for an SA."""

from collections.abc import Callable, Sequence
from itertools import count

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.timers import Timers
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.ipsec.actions import Acquire, Deliver
from ipsecsim.ipsec.association import Direction, SaParameters, SecurityAssociation
from ipsecsim.ipsec.events import HoldEnded, PacketHeld, PolicyMatched, SaInstalled, SaRemoved
from ipsecsim.ipsec.inbound import unprotect
from ipsecsim.ipsec.outbound import protect
from ipsecsim.ipsec.policy import Policy, PolicyAction, SecurityPolicyDatabase
from ipsecsim.ipsec.sad import SecurityAssociationDatabase
from ipsecsim.ipsec.selector import flow_of

HOLD_LIMIT = 8  # packets that may wait for one policy's SA
HOLD_TIME = 30 * SECOND


class IpsecEngine:
    """Protects what leaves and checks what arrives. Owns no clock and no socket."""

    def __init__(
        self,
        policies: Sequence[Policy] = (),
        tap: Tap | None = None,
        identification: Callable[[], int] | None = None,
    ) -> None:
        self.spd = SecurityPolicyDatabase(policies)
        self.sad = SecurityAssociationDatabase()
        self.tap = tap
        self._identification = identification or _counter()
        self._held: dict[str, list[bytes]] = {}
        self._timers: Timers[str] = Timers()

    def outbound(self, packet: bytes, now: Instant) -> list[Action] | None:
        """Decide about a packet that is to cross the boundary outwards (RFC 4301 5.1).

        None: policy lets it pass in clear. A list: the engine took the packet; an empty one means that
        it was dropped or is waiting.
        """
        decided = self.spd.outbound(packet)
        policy = decided.policy
        if policy is None:
            return self._drop(DropReason.SPD_NO_MATCH, packet, str(flow_of(packet)))
        policy.hits += 1
        if self.tap is not None:
            self.tap(PolicyMatched(policy.name, policy.action.value, Direction.OUTBOUND.value))
        if policy.action is PolicyAction.BYPASS:
            return None
        if policy.action is PolicyAction.DISCARD:
            return self._drop(DropReason.SPD_DISCARD, packet, policy.name)
        if decided.sa is None:
            decided.sa = self.sad.outbound(policy.name, flow_of(packet))
            if decided.sa is None:
                return self._hold(policy, packet, now)
        return self._protect(decided.sa, packet, now)

    def inbound_clear(self, packet: bytes) -> bool:
        """May a packet that arrived without protection pass? Policy decides (RFC 4301 5.2, step 3b)."""
        policy = self.spd.inbound(packet).policy
        if policy is None:
            self._drop(DropReason.SPD_NO_MATCH, packet, str(flow_of(packet)))
            return False
        policy.hits += 1
        if self.tap is not None:
            self.tap(PolicyMatched(policy.name, policy.action.value, Direction.INBOUND.value))
        if policy.action is PolicyAction.BYPASS:
            return True
        if policy.action is PolicyAction.PROTECT:
            self._drop(DropReason.INBOUND_CLEAR_PROTECTED, packet, policy.name)
        else:
            self._drop(DropReason.SPD_DISCARD, packet, policy.name)
        return False

    def inbound(self, protocol: int, packet: bytes, start: int, now: Instant) -> list[Action]:
        """Open ESP or AH (`protocol`) that begins at `start` of a whole IP packet, behind a UDP header perhaps."""
        try:
            sa, inner = unprotect(self.sad, protocol, packet, start, now, self.tap)
        except RemoteError as refused:
            return self._drop(refused.reason, packet, str(refused))
        return [Deliver(inner, sa.spi)]

    def install(self, parameters: SaParameters, now: Instant) -> list[Action]:
        """Take up an SA; an outbound one lets the packets go that waited for it."""
        sa = SecurityAssociation.install(parameters, now, self._identification)
        self.sad.add(sa)
        self.spd.forget_decisions()
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
        if parameters.direction is Direction.INBOUND:
            return []
        return self._release(parameters.policy, now)

    def remove(self, direction: Direction, spi: int) -> None:
        """Forget an SA; harmless when it is not there."""
        sa = self.sad.remove(direction, spi)
        self.spd.forget_decisions()
        if sa is not None and self.tap is not None:
            self.tap(SaRemoved(spi, direction.value, sa.parameters.policy, sa.packets, sa.octets))

    def give_up(self, policy: str) -> None:
        """No SA will come for `policy`: drop what waits for it."""
        self._timers.cancel(policy)
        for packet in self._held.pop(policy, []):
            if self.tap is not None:
                self.tap(HoldEnded(policy, packet))
            self._drop(DropReason.NO_SA_YET, packet, policy)

    def next_deadline(self) -> Instant | None:
        """When waiting packets run out of time."""
        return self._timers.next_deadline()

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        for policy in self._timers.pop_expired(now):
            self.give_up(policy)
        return []

    @property
    def held(self) -> int:
        """How many packets wait for an SA."""
        return sum(len(packets) for packets in self._held.values())

    def _hold(self, policy: Policy, packet: bytes, now: Instant) -> list[Action]:
        waiting = self._held.setdefault(policy.name, [])
        if len(waiting) >= HOLD_LIMIT:
            return self._drop(DropReason.NO_SA_YET, packet, policy.name)
        waiting.append(packet)
        if self.tap is not None:
            self.tap(PacketHeld(policy.name, packet))
        if len(waiting) > 1:
            return []
        self._timers.set(policy.name, now + HOLD_TIME)
        return [Acquire(policy.name, flow_of(packet))]

    def _release(self, policy: str, now: Instant) -> list[Action]:
        self._timers.cancel(policy)
        actions: list[Action] = []
        for packet in self._held.pop(policy, []):
            if self.tap is not None:
                self.tap(HoldEnded(policy, packet))
            sa = self.sad.outbound(policy, flow_of(packet))
            if sa is None:
                self._drop(DropReason.NO_SA_YET, packet, f"{policy}: the SA was narrowed to other traffic")
            else:
                actions += self._protect(sa, packet, now)
        return actions

    def _protect(self, sa: SecurityAssociation, packet: bytes, now: Instant) -> list[Action]:
        if sa.sequence >= sa.last_sequence:
            # RFC 4303 3.3.3: the counter must never cycle; the SA is finished
            return self._drop(DropReason.SEQ_EXHAUSTED, packet, f"SPI {sa.spi:08x}")
        return [protect(sa, packet, now, self.tap)]

    def _drop(self, reason: DropReason, packet: bytes, detail: str) -> list[Action]:
        if self.tap is not None:
            self.tap(PacketDropped(reason, packet, detail))
        return []


def _counter() -> Callable[[], int]:
    numbers = count(1)
    return lambda: next(numbers) & 0xFFFF
