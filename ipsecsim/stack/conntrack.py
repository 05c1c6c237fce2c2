"""The connections that a stateful firewall knows: who spoke first, and whether there was an answer.

A connection is two endpoints of one protocol: with ports, with the identifier of a ping, or for protocols without
ports, such as ESP and AH, the two addresses alone. It lives from packet to packet, as long as a NAT's mapping does.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.base.trace import Tap
from ipsecsim.stack.events import ConnectionForgotten, ConnectionOpened
from ipsecsim.stack.match import Seen, State
from ipsecsim.stack.nat.behaviour import Timeouts
from ipsecsim.wire import icmpv4, icmpv6, ip
from ipsecsim.wire.icmpv4 import IcmpType
from ipsecsim.wire.icmpv6 import Icmpv6Type
from ipsecsim.wire.numbers import IpProtocol

MOST_CONNECTIONS = 8192

_TCP, _UDP = int(IpProtocol.TCP), int(IpProtocol.UDP)
_ICMP, _ICMPV6 = int(IpProtocol.ICMP), int(IpProtocol.ICMPV6)
_ASKS = {_ICMP: int(IcmpType.ECHO), _ICMPV6: int(Icmpv6Type.ECHO_REQUEST)}
_ANSWERS = {_ICMP: int(IcmpType.ECHO_REPLY), _ICMPV6: int(Icmpv6Type.ECHO_REPLY)}
_ICMP_HEADER_LENGTH = 8
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10

Key = tuple[int, bytes, int, bytes, int]
"""Protocol, source and its port, destination and its port, as the first packet had them."""


@dataclass(slots=True)
class Connection:
    """One that is known. `is_answered`: both ends have spoken. `is_closing`: one of them will not go on."""

    key: Key
    expires: Instant
    is_answered: bool = False
    is_closing: bool = False


class ConnectionTable:
    """Bounded: when it is full, a connection that nobody has answered goes, else the one longest unused.

    So a flood of first packets drives out other first packets, not the connections that are in use.
    """

    def __init__(self, tap: Tap | None = None, most: int = MOST_CONNECTIONS) -> None:
        self._tap = tap
        self._most = most
        self._timeouts = Timeouts()
        self._known: OrderedDict[Key, Connection] = OrderedDict()  # the longest unused first
        self._unanswered: OrderedDict[Key, None] = OrderedDict()  # these too

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._known.values())

    def __reversed__(self) -> Iterator[Connection]:
        """The one used last comes first."""
        return reversed(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def known(self, key: Key) -> Connection | None:
        """The connection that began with these ends."""
        return self._known.get(key)

    def clear(self, why: str) -> None:
        """Forget all of them."""
        for connection in list(self._known.values()):
            self._forget(connection, why)

    def look_up(self, seen: Seen, now: Instant) -> Connection | None:
        """Say in `seen` what the packet is to the connections, and return that to which it belongs.

        It has no state when it belongs to none and can't begin one either: an answer to nothing, or an error about
        nothing.
        """
        key = _key_of(seen)
        if key is None:
            connection = self._spoken_of(seen, now)
            seen.state = None if connection is None else State.RELATED
            return connection
        connection = self._find(key, now)
        if connection is None:
            seen.state = State.NEW if _may_begin(seen) else None
        elif connection.is_answered or connection.key != key:
            seen.state = State.ESTABLISHED
        else:
            seen.state = State.NEW
        return connection

    def let_through(self, seen: Seen, connection: Connection | None, now: Instant) -> None:
        """A packet that was looked up goes on: it begins a connection, or keeps its own alive."""
        if seen.state is State.RELATED:
            return
        if connection is None:
            key = _key_of(seen) if seen.state is State.NEW else None
            if key is not None:
                self._open(key, seen, now)
            return
        if seen.state is State.ESTABLISHED and not connection.is_answered:
            connection.is_answered = True
            del self._unanswered[connection.key]
        if seen.protocol == _TCP and _flags(seen) & (_FIN | _RST):
            connection.is_closing = True
        connection.expires = now + self._lifetime(connection)
        self._known.move_to_end(connection.key)
        if not connection.is_answered:
            self._unanswered.move_to_end(connection.key)

    # -- inside ---------------------------------------------------------------------------------

    def _find(self, key: Key, now: Instant) -> Connection | None:
        connection = self._known.get(key)
        if connection is None:
            protocol, source, port, destination, other_port = key
            connection = self._known.get((protocol, destination, other_port, source, port))
        if connection is not None and connection.expires <= now:
            self._forget(connection, "nobody has used it")
            return None
        return connection

    def _open(self, key: Key, seen: Seen, now: Instant) -> None:
        if len(self._known) >= self._most:
            oldest = next(iter(self._unanswered or self._known))
            self._forget(self._known[oldest], "the table is full")
        connection = Connection(key, now)
        connection.is_closing = seen.protocol == _TCP and bool(_flags(seen) & _FIN)
        connection.expires += self._lifetime(connection)
        self._known[key] = connection
        self._unanswered[key] = None
        if self._tap is not None:
            self._tap(ConnectionOpened(key[0], key[1:3], key[3:], connection.expires - now))

    def _forget(self, connection: Connection, why: str) -> None:
        key = connection.key
        del self._known[key]
        self._unanswered.pop(key, None)
        if self._tap is not None:
            self._tap(ConnectionForgotten(key[0], key[1:3], key[3:], why))

    def _lifetime(self, connection: Connection) -> Duration:
        protocol = connection.key[0]
        if protocol == _TCP:
            is_steady = connection.is_answered and not connection.is_closing
            return self._timeouts.tcp if is_steady else self._timeouts.tcp_transitory
        if protocol == _UDP:
            return self._timeouts.udp
        return self._timeouts.icmp if protocol in _ASKS else self._timeouts.esp

    def _spoken_of(self, seen: Seen, now: Instant) -> Connection | None:
        """The connection that an ICMP error is about, if it goes to who sent the packet that it quotes."""
        quote = _quoted(seen)
        if quote is None or quote.source != seen.destination:
            return None
        key = _key_of(quote)
        return None if key is None else self._find(key, now)


def _key_of(seen: Seen) -> Key | None:
    """The endpoints of a packet, if it shows them. A ping's identifier belongs to who asks."""
    if seen.source_port is not None and seen.destination_port is not None:
        return seen.protocol, seen.source, seen.source_port, seen.destination, seen.destination_port
    if seen.is_later_fragment or seen.protocol in (_TCP, _UDP):
        return None
    if seen.protocol not in _ASKS:
        return seen.protocol, seen.source, 0, seen.destination, 0
    packet, at = seen.packet, seen.at
    if seen.icmp is None or len(packet) < at + _ICMP_HEADER_LENGTH:
        return None
    identifier = packet[at + 4] << 8 | packet[at + 5]
    if packet[at] == _ASKS[seen.protocol]:
        return seen.protocol, seen.source, identifier, seen.destination, 0
    if packet[at] == _ANSWERS[seen.protocol]:
        return seen.protocol, seen.source, 0, seen.destination, identifier
    return None


def _may_begin(seen: Seen) -> bool:
    """Can it be a first packet? An answer can't; TCP that goes on is taken for older than the firewall."""
    if seen.protocol == _TCP:
        flags = _flags(seen)
        return not flags & _RST and flags & (_SYN | _ACK) not in (0, _SYN | _ACK)
    return seen.protocol not in _ASKS or seen.packet[seen.at] == _ASKS[seen.protocol]


def _flags(seen: Seen) -> int:
    """TCP's control bits (RFC 9293 3.1). What is cut off may be a SYN that hides, so it counts as one."""
    at = seen.at + 13
    return seen.packet[at] if at < len(seen.packet) else _SYN


def _quoted(seen: Seen) -> Seen | None:
    """The packet that an ICMP error quotes; None when there is none, or a spoilt one."""
    if seen.icmp is None:
        return None
    packet, at = seen.packet, seen.at
    kind = packet[at]
    is_error = kind in icmpv4.ERROR_TYPES if seen.protocol == _ICMP else kind < icmpv6.FIRST_INFORMATIONAL
    if not is_error:
        return None
    try:
        return Seen(ip.shortened(packet[at + _ICMP_HEADER_LENGTH : seen.size]))
    except RemoteError:
        return None
