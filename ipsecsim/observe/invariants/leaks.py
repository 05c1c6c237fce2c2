"""No leak: what policy wants protected never travels outside an SA on the far side of an IPsec boundary.

Two looks at it. The rules: whatever a gateway sends across its boundary was sealed in that turn, or must be
allowed in clear by the rules that the gateway holds when the recording ends. The bytes: once a packet was sealed,
the start of its payload must not be seen on any link outside, except inside an SA that hides nothing: whoever
chooses AH or NULL encryption wants no forgeries, not secrecy. What such an SA carries may also be seen where an
ICMP error quotes the packet.
"""

from collections.abc import Iterable, Iterator

from ipsecsim.crypto.catalogue import WORDS, Encryption
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import PacketSealed, SaInstalled
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import any_matches_outbound, flow_of
from ipsecsim.net.events import AddressChanged, FrameSent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.invariants.violation import Violation
from ipsecsim.observe.packets.packet_summary import summary
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ip, ipv6
from ipsecsim.wire.headers import Security, first, ports, quoted, security
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol

NEEDLE_LENGTH = 8
"""Bytes from the start of a payload that give it away: ports and checksums make them unlike any other's."""
LEAST_DISTINCT = 4
"""Different values among them; eight zeros prove nothing."""

Key = tuple[bytes, bytes, bytes, int]
"""Which pieces belong together: identification, both addresses, protocol (RFC 791 3.2)."""


def check_leaks(recorder: Recorder, simulator: Simulator) -> Iterator[Violation]:
    """Every frame that should not have been readable where it was."""
    for row, sentence in leaks(recorder, simulator):
        yield Violation(row.turn.number, row.node, sentence)


def leaks(recorder: Recorder, simulator: Simulator) -> Iterator[tuple[Record, str]]:
    """The row of each such frame, and what is wrong with it."""
    gateways = [node for node in simulator.nodes.values() if isinstance(node, VpnGateway)]
    boundaries = {gateway.name: _Boundary(gateway) for gateway in gateways}
    for row, changed in recorder.of(AddressChanged):
        if row.node in boundaries:
            boundaries[row.node].addresses.add(changed.old)
    outside = outside_links(simulator)
    secrets = _Secrets()
    for row in recorder.rows:
        event = row.event
        boundary = boundaries.get(row.node)
        if boundary is not None:
            sentence = boundary.notice(row)
            if sentence is not None:
                yield row, sentence
        secrets.notice(row)
        if isinstance(event, FrameSent) and event.link in outside:
            turn = secrets.seen_in(event.packet)
            if turn is not None:
                what = summary(event.packet)
                yield row, f"a packet sealed in turn {turn} can be read on {event.link}: {what}"


def outside_links(simulator: Simulator) -> set[str]:
    """Links beyond an unprotected interface that no protected side reaches without passing a gateway."""
    unprotected: set[str] = set()
    protected: set[str] = set()
    for link in simulator.links.values():
        for node, interface in link.owners.values():
            if isinstance(node, VpnGateway):
                (unprotected if interface in node.unprotected else protected).add(link.name)
    return _reachable(simulator, unprotected) - _reachable(simulator, protected)


class _Boundary:
    """One gateway's far side, and what in the present turn it may send there without asking policy."""

    def __init__(self, gateway: VpnGateway) -> None:
        self._unprotected = gateway.unprotected
        self.addresses = set(gateway.stack.addresses)  # those it had before too
        self._policies = gateway.ipsec.spd.policies
        self._turn = 0
        self._sealed: set[Security] = set()
        self._allowed: set[Key] = set()
        self._begun: set[Key] = set()  # packets whose first fragment policy let through, in whatever turn

    def notice(self, row: Record) -> str | None:
        """Look at a row of this gateway; a sentence when it lets something out in clear."""
        if row.turn.number != self._turn:
            self._turn = row.turn.number
            self._allowed.clear()
            self._sealed.clear()
        event = row.event
        if isinstance(event, PacketSealed):
            self._sealed.add(Security.of(event.protocol, event.spi, event.sequence))
        elif isinstance(event, PacketOriginated):
            if security(event.packet) in self._sealed or self._is_ike(event.packet):
                self._allowed.add(_key(event.packet))
        elif isinstance(event, FrameSent) and event.interface in self._unprotected:
            return self._judge(event)
        return None

    def _is_ike(self, packet: bytes) -> bool:
        """IKE that this gateway speaks itself does not have to ask policy (RFC 4301 4.4.1)."""
        if ip.source(packet) not in self.addresses:
            return False
        header = first(packet, IpProtocol.UDP)
        return header is not None and ports(packet[header.start : header.end])[0] in (IKE_PORT, NAT_T_PORT)

    def _judge(self, sent: FrameSent) -> str | None:
        key = _key(sent.packet)
        if key in self._allowed:
            return None  # also the later pieces of a packet that was judged while it was whole
        policy = first_match(self._policies, sent.packet)
        if policy is not None and policy.action is PolicyAction.BYPASS:
            self._allowed.add(key)
            if ip.is_fragment(sent.packet):
                self._begun.add(_key_of_pieces(sent.packet))
            return None
        if ip.fragment_offset(sent.packet) and _key_of_pieces(sent.packet) in self._begun:
            return None  # its ports are in the first fragment (RFC 4301 7.4), and the rule is that one's
        why = "no rule lets it" if policy is None else f"the rule {policy.name} says {policy.action.name}"
        return f"sent in clear on {sent.link} though {why}: {summary(sent.packet)}"


def first_match(policies: Iterable[Policy], packet: bytes) -> Policy | None:
    """The rule that speaks of a packet which leaves, whether it has an SA just now or sleeps without."""
    # not through the SPD itself: looking at a recording must not fill a live node's cache
    flow = flow_of(packet)
    return next(
        (
            policy
            for policy in policies
            if policy.direction is not Direction.INBOUND and any_matches_outbound(policy.selectors, flow)
        ),
        None,
    )


def _key(packet: bytes) -> Key:
    """In IPv6 a whole packet has no identification: what is cut is known by its addresses and first header."""
    ends = ip.source(packet), ip.destination(packet)
    if ip.version(packet) == 4:
        return bytes(packet[4:6]), *ends, ip.upper_layer(packet)[0]
    field, end = ipv6.per_hop_part(packet)
    following = packet[field]
    return b"", *ends, packet[end] if following == IpProtocol.FRAGMENT else following


def _key_of_pieces(packet: bytes) -> Key:
    """For fragments that arrived as such. What stands behind the fragment header may differ (RFC 8200 4.5)."""
    if ip.version(packet) == 4:
        return _key(packet)
    extension = ipv6.chain(packet).fragment
    identification = b"" if extension is None else packet[extension.start + 4 : extension.start + 8]
    return identification, ip.source(packet), ip.destination(packet), IpProtocol.FRAGMENT


class _Secrets:
    """What was sealed, how it is recognised, and where it may be read all the same."""

    def __init__(self) -> None:
        self._needles: dict[bytes, int] = {}  # with the turn of sealing
        self._showing: set[tuple[str, str, str, int]] = set()  # SAs that hide nothing
        self._shown: dict[Security, list[bytes]] = {}  # what they carry

    def notice(self, row: Record) -> None:
        event = row.event
        if isinstance(event, SaInstalled) and event.direction == Direction.OUTBOUND.value:
            sa = (row.node, event.policy, event.protocol, event.spi)
            if _hides_nothing(event):
                self._showing.add(sa)
            else:
                self._showing.discard(sa)
        elif isinstance(event, PacketSealed):
            needle = _needle(event.inner)
            if needle is not None:
                self._needles[needle] = row.turn.number
            if (row.node, event.policy, event.protocol, event.spi) in self._showing:
                # two SAs by hand may share SPI and sequence number: one for each direction
                self._shown.setdefault(Security.of(event.protocol, event.spi, event.sequence), []).append(
                    event.inner
                )

    def seen_in(self, packet: bytes) -> int | None:
        """The turn of sealing of the first secret that `packet` gives away."""
        windows = (packet[at : at + NEEDLE_LENGTH] for at in range(len(packet) - NEEDLE_LENGTH + 1))
        found = [window for window in windows if window in self._needles] if self._needles else []
        if not found:
            return None
        readable = self._readable(packet, set())
        told = (window for window in found if not any(window in inner for inner in readable))
        return next((self._needles[window] for window in told), None)

    def _readable(self, packet: bytes, asked: set[Security]) -> list[bytes]:
        """The packets inside this one, or inside one that it quotes, that nobody wanted to be secret."""
        found = security(packet)
        if found is None:
            quote = quoted(packet)
            return self._readable(quote, asked) if quote else []
        if found in asked:
            return []
        asked.add(found)
        readable: list[bytes] = []
        for inner in self._shown.get(found, ()):
            # AH around ESP shows no more than ESP does
            readable += [inner] if security(inner) is None else self._readable(inner, asked)
        return readable


def _hides_nothing(sa: SaInstalled) -> bool:
    """AH, and ESP with NULL encryption or GMAC (RFC 2410, RFC 4543)."""
    if sa.protocol == "AH":
        return True
    row = WORDS[sa.suite.partition("-")[0]].row
    return isinstance(row, Encryption) and not row.encrypts


def _needle(inner: bytes) -> bytes | None:
    """The start of a sealed packet's payload, where it is long enough and not too plain to give it away.

    Later fragments have none: they begin anywhere, and the same data may be sent elsewhere in clear. ESP and AH
    have none either: they do not need the second SA around them, which may end before they do.
    """
    if ip.fragment_offset(inner) or security(inner) is not None:
        return None
    _, start = ip.upper_layer(inner)
    needle = bytes(inner[start : ip.total_length(inner)][:NEEDLE_LENGTH])
    return needle if len(needle) == NEEDLE_LENGTH and len(set(needle)) >= LEAST_DISTINCT else None


def _reachable(simulator: Simulator, start: set[str]) -> set[str]:
    """Links that a packet can get to from those in `start` without passing a gateway."""
    reached, border = set(start), set(start)
    while border:
        routers = {
            node.name
            for name in border
            for node, _ in simulator.links[name].owners.values()
            if node.stack.forwards and not isinstance(node, VpnGateway)
        }
        border = {
            link.name
            for link in simulator.links.values()
            if any(node.name in routers for node, _ in link.owners.values())
        } - reached
        reached |= border
    return reached
