"""The IPsec engine of one node: SPD, SAD, and the packets that wait for an SA."""

from collections.abc import Sequence

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.ipsec import conflicts, expiry, icmp_rules
from ipsecsim.ipsec.actions import Acquire, Complaint, Deliver, ReportError, ReportWayward, SaRefused
from ipsecsim.ipsec.association import Direction, Mode, Outer, SaParameters, SecurityAssociation
from ipsecsim.ipsec.errors import Refused
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.events import (
    HoldEnded,
    IcmpErrorBelieved,
    PacketHeld,
    PolicyMatched,
    SaConflictFound,
)
from ipsecsim.ipsec.expiry import Limit
from ipsecsim.ipsec.holding import Holding, Queue
from ipsecsim.ipsec.icmp_rules import ErrorMessage
from ipsecsim.ipsec.inbound import sender_moved, unprotect
from ipsecsim.ipsec.keeper import SaKeeper
from ipsecsim.ipsec.outbound import protect, protect_dummy, protected_length, to_be_cut
from ipsecsim.ipsec.path_mtu import Fate, PathMtus
from ipsecsim.ipsec.policy import Decision, Policy, PolicyAction, SecurityPolicyDatabase
from ipsecsim.ipsec.sad import SecurityAssociationDatabase
from ipsecsim.ipsec.selector import Selector, flow_of
from ipsecsim.ipsec.settings import Settings
from ipsecsim.ipsec.surroundings import Nowhere, Surroundings
from ipsecsim.wire import ip, ipv4
from ipsecsim.wire.numbers import IpProtocol


class IpsecEngine:
    """Protects what leaves and checks what arrives. Owns no clock and no socket."""

    def __init__(
        self,
        policies: Sequence[Policy] = (),
        tap: Tap | None = None,
        surroundings: Surroundings | None = None,
        settings: Settings = Settings(),  # noqa: B008 - it never changes
    ) -> None:
        self.spd = SecurityPolicyDatabase(policies)
        self.sad = SecurityAssociationDatabase()
        self.tap = tap
        self.settings = settings
        self._surroundings = surroundings or Nowhere()
        self._path_mtus = PathMtus(self._surroundings, settings, tap)
        self._keeper = SaKeeper(self.sad, self.spd, self._path_mtus, self._surroundings, tap)
        self.holding = Holding()
        self._with_deadlines = (self.holding, self._keeper, self._path_mtus)

    def outbound(self, packet: bytes, now: Instant) -> list[Action] | None:
        """Decide about a packet that is to cross the boundary outwards (RFC 4301 5.1).

        None: policy lets it pass in clear. A list: the engine took the packet; an empty one means that
        it was dropped or is waiting.
        """
        decision = self.spd.outbound(packet, now)
        policy = decision.policy
        if policy is None:
            return self._keep_in(decision.refusal, packet, decision, now)
        policy.hits += 1
        if self.tap is not None:
            self.tap(PolicyMatched(policy.name, policy.action.value, Direction.OUTBOUND.value))
        if decision.sa is not None:  # as most packets find it
            return self._protect(decision.sa, packet, now)
        if policy.action is PolicyAction.BYPASS:
            return None
        if policy.action is PolicyAction.DISCARD:
            return self._keep_in(DropReason.SPD_DISCARD, packet, decision, now)
        sa = self._choose(decision, policy, packet)
        if sa is None:
            return self._without_sa(decision, policy, packet, now)
        return self._carry(sa, packet, now)

    def inbound_clear(self, packet: bytes, now: Instant) -> bool:
        """May a packet that arrived without protection pass? Policy decides (RFC 4301 5.2, step 3b).

        It never makes anybody negotiate: who sends in clear what is to be protected gets no answer.
        """
        decision = self.spd.inbound(packet, now)
        policy = decision.policy
        if policy is None:
            self._drop(decision.refusal, packet, str(flow_of(packet)))
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

    def protects_again(self, packet: bytes) -> bool:
        """Is a packet that an SA made to be protected once more, by another one?"""
        return self.spd.protects_again(packet, Direction.OUTBOUND)

    def inbound_bare(self, packet: bytes) -> bool:
        """May ESP or AH for this node pass with nothing around it? Not where a rule wants it protected itself."""
        if not self.spd.protects_again(packet, Direction.INBOUND):
            return True
        self._drop(DropReason.INBOUND_CLEAR_PROTECTED, packet, str(flow_of(packet)))
        return False

    def inbound(self, protocol: int, packet: bytes, start: int, now: Instant) -> list[Action]:
        """Open ESP or AH (`protocol`) that begins at `start` of a whole IP packet, behind a UDP header perhaps."""
        try:
            sa, inner = unprotect(self.sad, self.spd, protocol, packet, start, now, self.tap)
        except RemoteError as refused:
            dropped = self._drop(refused.reason, packet, str(refused))
            return dropped + self._report(refused, protocol, packet)
        length = len(inner)
        asking: list[Action] | None = None
        if sa.packets >= sa.look_packets or sa.octets + length > sa.look_octets or now >= sa.look_at:
            gone = self._keeper.ended(sa, length, now)
            if gone is not None:
                return [*self._drop(gone.limit.reason, packet, f"SPI {sa.spi:08x}, {gone.limit.value}"), gone]
            asking = self._keeper.ask(sa, length, now)
        sa.packets += 1
        sa.octets += length
        sa.last_used = now
        actions: list[Action] = [Deliver(inner, sa.spi)]
        if sa.parameters.udp_ports is not None:
            # first of all: an answer to this very packet is to find the sender
            actions = [*sender_moved(sa, packet, start), *actions]
        return [*actions, *asking] if asking else actions

    def _report(self, refused: RemoteError, protocol: int, packet: bytes) -> list[Action]:
        """Let the sender of a packet know what became of it, where the settings say so."""
        wayward = refused.wayward if isinstance(refused, Refused) else None
        if wayward is None or not self.settings.reports_wayward:
            return []
        return [ReportWayward(IpProtocol(protocol), wayward.spi, packet, wayward.inner)]

    # -- ICMP about what was sent ---------------------------------------------------------------

    def inbound_error(self, packet: bytes) -> bool | None:
        """May an ICMP error for this node pass that came in clear? None when the packet is no ICMP error.

        The rules of the SPD are not for it: it ends on the unprotected side (RFC 4301 5.2, step 3c).
        """
        error = icmp_rules.error_in(packet)
        if error is None:
            return None
        if not icmp_rules.is_believed(error, self.settings):
            self._drop(DropReason.ICMP_POLICY, packet, f"type {error.type} code {error.code}")
            return False
        if self.tap is not None:
            self.tap(IcmpErrorBelieved(error.protocol, error.type, error.code))
        return True

    def packet_too_big(self, quoted: bytes, mtu: int, now: Instant) -> None:
        """An ICMP error that was let in says that a packet of this node found a link of `mtu` bytes.

        It is mapped to its SA by what it quotes (RFC 4301 8.2.1).
        """
        about = icmp_rules.quoted_protection(quoted)
        if about is None:
            return
        for sa in self.sad.sending(
            about.protocol, about.source, about.destination, about.spi, about.udp_ports
        ):
            self._path_mtus.lower(sa, mtu, now)
        for sa in self.sad.towards(about.destination):
            self._path_mtus.refresh(sa)  # the host may know better now

    # -- SAs ------------------------------------------------------------------------------------

    def install(self, parameters: SaParameters, now: Instant) -> list[Action]:
        """Take up an SA; an outbound one lets the packets go that waited for it.

        Not where it would be mistaken for another peer's, if the settings say so.
        """
        if self._is_refused(parameters):
            is_pair_known = parameters.direction is Direction.OUTBOUND  # its inbound half came first
            return [SaRefused(parameters.destination, parameters.spi)] if is_pair_known else []
        self._keeper.install(parameters, now)
        return [] if parameters.direction is Direction.INBOUND else self._release(parameters, now)

    def remove(
        self,
        direction: Direction,
        spi: int,
        protocol: int = IpProtocol.ESP,
        destination: bytes | None = None,
    ) -> None:
        """Forget an SA; harmless when it is not there. `destination` as in `sad.find`."""
        self._keeper.remove(direction, spi, protocol, destination)

    def move(
        self,
        direction: Direction,
        spi: int,
        protocol: int,
        outer: Outer,
        destination: bytes | None = None,
    ) -> None:
        """Let an SA go on between other outer addresses; harmless when it is not there. `destination` as before."""
        self._keeper.move(direction, spi, protocol, outer, destination)

    def last_used(
        self, direction: Direction, spi: int, protocol: int, destination: bytes | None = None
    ) -> Instant:
        """When an SA last carried a packet; -1 when it never did, or is gone. `destination` as in `sad.remove`."""
        sa = self.sad.find(direction, spi, protocol, destination)
        return -1 if sa is None else sa.last_used

    def dummy(self, policy: str, length: int, now: Instant) -> list[Action]:
        """Send a packet that carries nothing on each ESP SA of a rule: it hides when there is more (RFC 4303 2.6).

        Nothing is sent on an SA that is at its end.
        """
        carrying = [
            sa for sa in self.sad.all() if sa.parameters.policy == policy and isinstance(sa.transform, Esp)
        ]
        return [
            protect_dummy(sa, length, now, self.tap)
            for sa in carrying
            if sa.parameters.direction is Direction.OUTBOUND and expiry.hard_limit(sa, length, now) is None
        ]

    def give_up(self, policy: str, *, only: Selector | None = None, reached: bool = False) -> list[Action]:
        """No SA will come for `policy`, or for a part of it `only`: drop what waits for it.

        `reached`: the peer was there, and said no.
        """
        complaint = Complaint.PROHIBITED if reached else Complaint.UNREACHABLE
        queues = self.holding.of(policy) if only is None else [(policy, only)]
        return [action for queue in queues for action in self._end_hold(queue, complaint)]

    def next_deadline(self) -> Instant | None:
        """When waiting packets run out of time, an SA comes to a limit, or a path MTU is to be forgotten."""
        earliest: Instant | None = None
        for source in self._with_deadlines:
            at = source.next_deadline()
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        self._path_mtus.forget_old(now)
        actions: list[Action] = []
        for policy, only in self.holding.pop_expired(now):
            actions += self._end_hold((policy, only), Complaint.UNREACHABLE)
        return actions + self._keeper.handle_timeout(now)

    def forget(self, reason: DropReason) -> None:
        """Know of no SA any more; what waits for one is dropped for that reason."""
        for queue in self.holding.queues():
            self._drop_held(queue, reason)
        self._keeper.remove_all()

    @property
    def held(self) -> int:
        """How many packets wait for an SA."""
        return len(self.holding)

    # -- what a common packet does not need -----------------------------------------------------

    def _is_refused(self, parameters: SaParameters) -> bool:
        """Is a new SA not to be had, because another peer's is for the same traffic (RFC 3948 5)?"""
        rival = conflicts.rival_of(parameters, self.sad, self.spd)
        if rival is None:
            return False
        if self.tap is not None:
            self.tap(
                SaConflictFound(
                    parameters.spi,
                    parameters.direction.value,
                    parameters.policy,
                    parameters.mode.value,
                    parameters.peer,
                    tuple(str(selector) for selector in parameters.selectors),
                    rival.spi,
                    rival.parameters.policy,
                    rival.parameters.peer,
                    self.settings.refuses_conflicts,
                )
            )
        return self.settings.refuses_conflicts

    def _keep_in(self, reason: DropReason, packet: bytes, decision: Decision, now: Instant) -> list[Action]:
        """Policy does not let a packet out. An ICMP error may still go with the traffic that it is about."""
        error = icmp_rules.error_in(packet)
        if error is not None and not icmp_rules.is_forbidden(decision):
            sa = self._carrier_of_error(error, packet)
            if sa is not None:
                return self._carry(sa, packet, now)
        rule = decision.policy
        self._drop(reason, packet, str(decision.flow) if rule is None else rule.name)
        return self._answer(packet, Complaint.PROHIBITED)

    def _carrier_of_error(self, error: ErrorMessage, packet: bytes) -> SecurityAssociation | None:
        """The SA of the packets that answer the quoted one (RFC 4301 6.2). None is made for an error's sake."""
        flow = icmp_rules.answering_flow(error)
        if flow is None or flow.destination != ip.destination(packet):
            return None
        policy = self.spd.search(flow, Direction.OUTBOUND)
        if policy is None or policy.action is not PolicyAction.PROTECT:
            return None
        sa = self.sad.outbound(policy.name, flow, ip.traffic_class(packet) >> 2)
        if sa is None or (sa.parameters.mode is Mode.TRANSPORT and flow.source != ip.source(packet)):
            return None  # transport mode is for what its own end sends (RFC 4301 4.1)
        if self.tap is not None:
            self.tap(PolicyMatched(policy.name, policy.action.value, Direction.OUTBOUND.value))
        return sa

    def _answer(self, packet: bytes, complaint: Complaint) -> list[Action]:
        """Tell the sender of a packet that was kept in, where the settings say so (RFC 4301 5.1.1)."""
        return [ReportError(packet, complaint)] if self.settings.answers_discards else []

    def _choose(self, decision: Decision, policy: Policy, packet: bytes) -> SecurityAssociation | None:
        """The SA that carries the packet; remembered for its flow where nothing else of the packet matters."""
        flow, dscp = decision.flow, ip.traffic_class(packet) >> 2
        if ip.fragment_offset(packet):
            sa = self.sad.outbound(policy.name, flow_of(packet), dscp)
            if sa is None and not flow.is_later_fragment:
                by_first = self.sad.outbound(policy.name, flow, dscp)
                if by_first is not None and by_first.parameters.stateful_fragments:
                    return by_first
            return sa
        sa = self.sad.outbound(policy.name, flow, dscp)
        if not self.sad.chooses_by_dscp(policy.name):
            decision.sa = sa
        return sa

    def _without_sa(self, decision: Decision, policy: Policy, packet: bytes, now: Instant) -> list[Action]:
        flow = flow_of(packet)
        if flow.is_later_fragment and not policy.matches(flow, Direction.OUTBOUND):
            # RFC 4301 7.3: unless both ends agreed on it, no SA with ports carries what has none
            return self._drop(DropReason.FRAG_NO_PORTS, packet, f"{policy.name}: {flow}")
        if not policy.negotiable:
            is_over = policy.name in self._keeper.without_successor
            return self._drop(DropReason.SA_EXPIRED if is_over else DropReason.NO_SA_YET, packet, policy.name)
        only = policy.populated(flow)
        queue = (policy.name, only)
        if not self.holding.has_room(queue):
            return self._drop(DropReason.NO_SA_YET, packet, policy.name)
        if self.tap is not None:
            self.tap(PacketHeld(policy.name, packet))
        return [Acquire(policy.name, flow, only)] if self.holding.keep(queue, packet, now) else []

    def _end_hold(self, queue: Queue, complaint: Complaint) -> list[Action]:
        actions: list[Action] = []
        for packet in self._drop_held(queue, DropReason.NO_SA_YET):
            actions += self._answer(packet, complaint)
        return actions

    def _drop_held(self, queue: Queue, reason: DropReason) -> list[bytes]:
        """Nothing comes of the packets that wait in a queue; they are given back."""
        policy, _ = queue
        packets = self.holding.release(queue)
        for packet in packets:
            if self.tap is not None:
                self.tap(HoldEnded(policy, packet))
            self._drop(reason, packet, policy)
        return packets

    def _release(self, parameters: SaParameters, now: Instant) -> list[Action]:
        actions: list[Action] = []
        policy = parameters.policy
        queues = [
            (name, only)
            for name, only in self.holding.of(policy)
            if only is None or any(only.overlaps(row) for row in parameters.selectors)
        ]
        for packet in [packet for queue in queues for packet in self.holding.release(queue)]:
            if self.tap is not None:
                self.tap(HoldEnded(policy, packet))
            sa = self.sad.outbound(policy, flow_of(packet), ip.traffic_class(packet) >> 2)
            if sa is None:
                self._drop(DropReason.NO_SA_YET, packet, f"{policy}: the SA was narrowed to other traffic")
            else:
                actions += self._carry(sa, packet, now)
        return actions

    def _carry(self, sa: SecurityAssociation, packet: bytes, now: Instant) -> list[Action]:
        """Protect a packet for which the SA was just chosen."""
        if sa.parameters.mode is Mode.TUNNEL:
            return self._protect(sa, packet, now)
        if not ip.is_whole(packet):
            return self._drop(
                DropReason.MODE_MISMATCH, packet, "a fragment, and transport mode (RFC 4301 4.1)"
            )
        return self._protect_watchfully(sa, packet, now)

    def _protect(self, sa: SecurityAssociation, packet: bytes, now: Instant) -> list[Action]:
        length = len(packet)
        if (
            length > sa.look_length
            or sa.sequence >= sa.look_sequence
            or sa.octets + length > sa.look_octets
            or now >= sa.look_at
        ):
            return self._protect_watchfully(sa, packet, now)
        return [protect(sa, packet, now, self.tap)]

    def _protect_watchfully(self, sa: SecurityAssociation, packet: bytes, now: Instant) -> list[Action]:
        """Protect a packet that may be too long for its path, or too much for its SA."""
        fate, largest = self._path_mtus.judge(sa, packet)
        if fate is Fate.TOO_BIG:
            return self._refuse_length(sa, packet, largest)
        if fate is Fate.CUT_BEFORE:
            try:
                pieces = self._surroundings.cut(packet, largest)
            except RemoteError as refused:
                return self._drop(refused.reason, packet, str(refused))
            return [action for piece in pieces for action in self._protect(sa, piece, now)]
        gone = self._keeper.ended(sa, len(packet), now)
        if gone is not None:
            return [*self._change_over(sa, gone.limit, packet, now), gone]
        asking = self._keeper.ask(sa, len(packet), now)
        action = protect(sa, packet, now, self.tap)
        return [to_be_cut(action) if fate is Fate.CUT_AFTERWARDS else action, *asking]

    def _refuse_length(self, sa: SecurityAssociation, packet: bytes, largest: int) -> list[Action]:
        """RFC 4301 8.2.1, cases 1 and 3. Who allows his packets to be cut hears nothing."""
        length = protected_length(sa, packet)
        reason = DropReason.TOO_BIG if length > ipv4.LARGEST_PACKET else DropReason.IP_DF_TOO_BIG
        self._drop(reason, packet, f"{length} bytes once protected; {largest} as it is would fit")
        if ip.may_be_fragmented_on_the_way(packet):
            return []
        is_tunnel = sa.parameters.mode is Mode.TUNNEL
        return [ReportError(packet, Complaint.TOO_BIG, largest, takes_fragments=is_tunnel)]

    def _change_over(
        self, sa: SecurityAssociation, limit: Limit, packet: bytes, now: Instant
    ) -> list[Action]:
        """The SA is at its end; the packet goes by another one of the same rule, if there is any."""
        other = self.sad.outbound(sa.parameters.policy, flow_of(packet), ip.traffic_class(packet) >> 2)
        if other is not None:
            return self._carry(other, packet, now)
        return self._drop(limit.reason, packet, f"SPI {sa.spi:08x}, {limit.value}")

    def _drop(self, reason: DropReason, packet: bytes, detail: str) -> list[Action]:
        if self.tap is not None:
            self.tap(PacketDropped(reason, packet, detail))
        return []
