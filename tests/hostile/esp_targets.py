"""The ESP engine: forged packets, authentic ones with hostile contents, and packets that ask to be protected."""

from random import Random

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND, ms
from ipsecsim.base.trace import TraceEvent
from ipsecsim.crypto.catalogue import EspSuite
from ipsecsim.crypto.protection import make_protection
from ipsecsim.ipsec.access import MOST_ACCEPTED_FLOWS
from ipsecsim.ipsec.actions import Deliver, SendPacket
from ipsecsim.ipsec.association import Direction, SaParameters
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.ipsec.holding import HOLD_LIMIT
from ipsecsim.ipsec.policy import Policy, PolicyAction, SecurityPolicyDatabase, first_match
from ipsecsim.ipsec.selector import Selector, any_matches_inbound, flow_of
from ipsecsim.wire import esp, ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.hostile import mutators
from tests.hostile.packets import any_packet, spoil_packet
from tests.hostile.seeds import Finding, seeds
from tests.hostile.target import Target, outcome, reachable, require
from tests.support.pair import EAST, WEST, esp_proposal

SPI = 0x1000
LAST = 0xFFFF_FFFF
SUITES = ("aes256gcm16", "chacha20poly1305", "aes128-sha256", "aes256-sha512")
WINDOWS = (32, 64, 1024)
OURS = (pack("10.1.0.2"), pack("10.1.0.9"))
THEIRS = (pack("10.2.0.2"), pack("10.2.0.77"))
STRANGERS = (pack("10.9.0.1"), pack("203.0.113.5"), bytes(4))
_EVERYWHERE = (bytes(4), b"\xff" * 4)
_NET = Selector.between(Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24"))
_PORT = Selector(*(_NET.local, _NET.remote), protocol=17, local_ports=(53, 53))
LEFT_OVER = 60


def policies() -> list[Policy]:
    """One rule of each kind, with and without ports."""
    return [
        Policy("dns", PolicyAction.BYPASS, (_PORT,)),
        Policy("bad", PolicyAction.DISCARD, (Selector(_NET.local, _NET.remote, protocol=6),)),
        Policy("net", PolicyAction.PROTECT, (_NET,)),
        Policy("waits", PolicyAction.PROTECT, (Selector(_NET.local, _EVERYWHERE, protocol=132),)),
        Policy("rest", PolicyAction.BYPASS, (Selector(_NET.local, _EVERYWHERE, protocol=1),)),
    ]


def _on_the_wire(data: bytes) -> bytes:
    return ipv4.build(EAST, WEST, IpProtocol.ESP, data[: ipv4.LARGEST_PACKET - ipv4.HEADER_LENGTH])


class _Esp(Target):
    """An engine with one SA each way, and the keys of both."""

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self.begin(chance.choice(SUITES), chance.choice(WINDOWS))

    def begin(self, suite: str, window: int) -> None:
        proposal = esp_proposal(suite)
        (encryption, bits) = proposal.encryption[0]
        self.words, self.window = suite, window
        self.suite = EspSuite(encryption, bits, proposal.integrity[0] if proposal.integrity else None)
        self._keys = (
            bytes(range(self.suite.encryption_key_length)),
            bytes(range(self.suite.integrity_key_length)),
        )
        self._install()
        self.at_rest = self._residue()

    def _install(self) -> None:
        """A fresh engine under the same keys."""
        self.now = 0
        self.sequence = 0
        self.events: list[TraceEvent] = []
        self.engine = IpsecEngine(policies(), self.events.append)
        for direction in (Direction.INBOUND, Direction.OUTBOUND):
            self.engine.install(self._parameters(direction), 0)
        self.peer = make_protection(
            self.suite.encryption, self.suite.key_bits, self._keys[0], self.suite.integrity, self._keys[1]
        )
        self.events.clear()

    def _parameters(self, direction: Direction) -> SaParameters:
        inbound = direction is Direction.INBOUND
        return SaParameters(
            direction,
            SPI if inbound else SPI + 1,
            EAST if inbound else WEST,
            WEST if inbound else EAST,
            self.suite,
            *self._keys,
            selectors=(_NET,),
            policy="net",
            replay_window=self.window,
        )

    def sealed(self, sequence: int, plaintext: bytes) -> bytes:
        """An ESP packet as only the peer can make it."""
        header = esp.HEADER.pack(SPI, sequence)
        plaintext = plaintext[: len(plaintext) // self.peer.alignment * self.peer.alignment]
        return header + self.peer.seal(header, plaintext)

    def genuine(self, inner: bytes) -> bytes:
        """What the peer would send for a packet."""
        self.sequence += 1
        alignment = max(4, self.peer.alignment)
        return self.sealed(self.sequence, inner + esp.trailer(len(inner), alignment, IpProtocol.IPV4))

    def receive(self, data: bytes) -> tuple[list[bytes], str]:
        """Feed an ESP packet: what was delivered, and the outcome."""
        self.events.clear()
        self.now += ms(1)
        actions = self.engine.inbound(IpProtocol.ESP, _on_the_wire(data), ipv4.HEADER_LENGTH, self.now)
        delivered = [action.packet for action in actions if isinstance(action, Deliver)]
        require(len(delivered) == len(actions) <= 1, "a received packet led to something but one delivery")
        for inner in delivered:
            ipv4.check(inner)
            require(any_matches_inbound((_NET,), flow_of(inner)), "a packet outside the selectors came out")
        return delivered, outcome(self.events)

    def _top(self) -> tuple[int, int]:
        sa = self.engine.sad.inbound(IpProtocol.ESP, SPI)
        assert sa is not None
        return sa.replay.top, sa.replay.seen

    def explain(self) -> str:
        return f"{self.words}; window {self.window}"

    def _residue(self) -> int:
        self.now += 3600 * SECOND
        self.engine.handle_timeout(self.now)
        require(self.engine.next_deadline() is None, "a timer is left")
        require(self.engine.held == 0, "packets wait for ever")
        self.events.clear()
        flows = [sa.accepted_flows for sa in self.engine.sad.all()]
        require(all(len(each) <= MOST_ACCEPTED_FLOWS for each in flows), "too many flows are remembered")
        cached = reachable(self.engine.spd) // 4
        require(cached <= 2 * SecurityPolicyDatabase.CACHE_LIMIT, "the SPD cache has no end")
        return reachable(self.engine, without=(self.engine.spd, *flows))

    def finish(self) -> None:
        grown = self._residue() - self.at_rest
        require(grown <= LEFT_OVER, f"{grown} objects more than at the beginning stay behind")


class ForgedEsp(_Esp):
    """Packets of somebody without keys. None is delivered, and none moves the window."""

    name = "ESP, forged"
    share = 60

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._real = b""

    def next_input(self) -> bytes:
        chance = self.chance
        if chance.random() < 0.1:
            return mutators.spoil(chance, chance.choice(seeds("packet")).data[20:])
        self._real = real = self.genuine(any_packet(chance, THEIRS, OURS))
        if chance.random() < 0.02:
            self.receive(real)
        if chance.random() < 0.1:
            return esp.HEADER.pack(SPI, mutators.number(chance)) + real[8:]
        return mutators.spoil(chance, real)

    def feed(self, data: bytes) -> str:
        before = self._top()
        delivered, result = self.receive(data)
        if data == self._real:
            return result
        require(not delivered, "a forged packet was delivered")
        require(self._top() == before, "a forged packet moved the replay window")
        return result


class SealedEsp(_Esp):
    """Packets of a peer that has the keys and puts anything inside."""

    name = "ESP, sealed"
    share = 60

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._plaintext = b""

    def next_input(self) -> bytes:
        chance = self.chance
        if self._top()[0] >= LAST - 1:
            self._install()
        self._plaintext = self._hostile()
        self.sequence = max(self.sequence, self._top()[0]) + 1
        sequence = self.sequence
        choice = chance.random()
        if choice < 0.1:
            sequence = max(0, sequence - chance.choice((1, 2, 31, 32, 33, 63, 64, 1023, 1024, 1025)))
        elif choice < 0.15:
            sequence = min(LAST, sequence + chance.choice((2, 31, 32, 33, 1000, 1 << 20)))
        elif choice < 0.155:
            sequence = chance.choice((0, LAST, LAST - 1))
        return self.sealed(sequence, self._plaintext)

    def _hostile(self) -> bytes:
        chance = self.chance
        sources, destinations = (THEIRS, OURS)
        if chance.random() < 0.1:
            sources, destinations = (*THEIRS, *STRANGERS, *OURS), (*OURS, *STRANGERS, *THEIRS)
        inner = any_packet(chance, sources, destinations)
        if chance.random() < 0.6:
            inner = spoil_packet(chance, inner)
        if chance.random() < 0.1:
            inner += bytes(chance.choice((1, 16, 200)))  # traffic flow padding (RFC 4303 2.7)
        next_header = (
            IpProtocol.IPV4 if chance.random() < 0.85 else chance.choice((0, 1, 6, 17, 41, 50, 59, 255))
        )
        alignment = max(4, self.peer.alignment)
        plaintext = inner + esp.trailer(len(inner), alignment, next_header)
        choice = chance.random()
        if choice < 0.06:
            plaintext = plaintext[:-2] + bytes((chance.randrange(256),)) + plaintext[-1:]
        elif choice < 0.12:
            plaintext = mutators.spoil(chance, plaintext)
        elif choice < 0.14:
            plaintext = chance.randbytes(chance.choice((0, 1, 2, 4, 16)))
        return plaintext

    def feed(self, data: bytes) -> str:
        _, result = self.receive(data)
        if len(data) % 4 == 0:
            before = self._top()
            again, reason = self.receive(data)
            is_short = reason in ("ESP_SHORT", "ESP_ALIGN")
            require(not again, "the same packet was delivered twice")
            require(
                is_short or reason in ("REPLAY_SEEN", "REPLAY_OLD", "SEQ_ZERO"),
                f"an authentic packet came twice, and the second time it was {reason}",
            )
            require(before == self._top(), "a repeated packet moved the replay window")
        return result

    def explain(self) -> str:
        return f"{super().explain()}; plaintext {self._plaintext.hex()}"

    def replay(self, finding: Finding) -> str:
        """`where` is the suite; the plaintext is what was found."""
        self.begin(finding.where, 32)
        became = ""
        for sequence, self._plaintext in enumerate(finding.inputs, start=1):
            became = self.feed(self.sealed(sequence, self._plaintext))
        return became


class Protecting(_Esp):
    """Packets that are to leave, or came in clear: policy decides as if it had no cache, and nothing leaks."""

    name = "SPD"
    share = 40

    def next_input(self) -> bytes:
        chance = self.chance
        ends = (*OURS, *STRANGERS[:1]), (*THEIRS, *STRANGERS)
        packet = any_packet(chance, *ends) if chance.random() < 0.8 else any_packet(chance, *reversed(ends))
        self.now += ms(1)
        if chance.random() < 0.01:
            self.now += 40 * SECOND
            self.engine.handle_timeout(self.now)
        return spoil_packet(chance, packet) if chance.random() < 0.7 else packet

    def feed(self, data: bytes) -> str:
        try:
            ipv4.check(data)  # the stack lets no other packet through
        except RemoteError as wrong:
            return wrong.reason.name
        self.events.clear()
        result = self._leave(data)
        self._arrive(data)
        return result

    def _leave(self, packet: bytes) -> str:
        actions = self.engine.outbound(packet, self.now)
        rules = _rules_for(packet, Direction.OUTBOUND)
        require(
            self._is_allowed(rules, passed=actions is None),
            "a packet left in clear against the policy, or was kept against it",
        )
        require(self.engine.held <= HOLD_LIMIT * len(policies()), "too many packets wait")
        sent = [a for a in actions or () if isinstance(a, SendPacket)]
        for action in sent:
            require(PolicyAction.PROTECT in rules, "protected against the policy")
            payload = ipv4.payload(action.packet)
            plaintext = self.peer.open(payload[:8], payload[8:])
            require(esp.strip_trailer(plaintext)[0] == packet, "what was sealed is not the packet")
        sealed = sum(isinstance(event, PacketSealed) for event in self.events)
        require(sealed == len(sent), "sealed and not sent")
        if actions is None:
            return "in clear"
        return outcome(self.events) if not sent else "sealed"

    def _arrive(self, packet: bytes) -> None:
        passes = self.engine.inbound_clear(packet, self.now)
        require(
            self._is_allowed(_rules_for(packet, Direction.INBOUND), passed=passes),
            "a packet came in clear against the policy, or was kept out against it",
        )

    def _is_allowed(self, rules: list[PolicyAction | None], *, passed: bool) -> bool:
        return (PolicyAction.BYPASS in rules) == passed or (len(rules) > 1 and not passed)


def _rules_for(packet: bytes, direction: Direction) -> list[PolicyAction | None]:
    """What may become of a packet; of a later fragment all that might, since its first one is elsewhere."""
    flow, rules = flow_of(packet), policies()
    first = first_match(rules, flow, direction)
    possible = [rule.action for rule in rules if rule.might_mean(flow, direction)]
    return [None if first is None else first.action, *possible]
