"""dns: what is the address of a name? Asked over UDP, once more after a while, then given up (RFC 1035)."""

from dataclasses import dataclass, replace

from ipsecsim.base.actions import Action
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.net.application import Listener, Result, udp_ports
from ipsecsim.net.events import DatagramSent, QueryAnswered, QueryGivenUp
from ipsecsim.net.node import Node
from ipsecsim.stack.actions import DatagramArrived
from ipsecsim.wire.dns import TYPE_A, TYPE_AAAA, Message

PORT = 53
TIMEOUT = 5 * SECOND
TRIES = 2  # with the time above what resolv.conf(5) says of the C library's resolver
TIME_TO_LIVE = 300  # seconds


@dataclass(slots=True)
class _Question:
    """A query on its way."""

    message: Message
    began_at: Instant
    due: Instant
    tries: int = 1


class Dns(Listener):
    """Asks `destination` for `count` addresses, one after the other, in the IP version it speaks with it.

    Each name is another one; `sent` and `received` count names, however often one was asked for.
    """

    def __init__(
        self,
        node: Node,
        destination: bytes,
        *,
        name: str = "dns",
        result: Result | None = None,
        count: int = 1,
        dscp: int = 0,
    ) -> None:
        super().__init__(node, name, result)
        self.port = node.free_port()
        node.listen(self)
        self._destination = destination
        self._count = count
        self._tos = dscp << 2
        self._identifiers = node.entropy.fork("dns identifier")
        self._open: _Question | None = None
        self._next_at: Instant | None = node.simulator.now

    def next_deadline(self) -> Instant | None:
        """When the next name is asked for, or this one again."""
        return self._next_at if self._open is None else self._open.due

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Ask, ask again, or give up."""
        due = self.next_deadline()
        if due is None or now < due:
            return []
        if self._open is None:
            return self._ask(now)
        question = self._open
        if question.tries < TRIES:
            question.tries += 1
            question.due = now + TIMEOUT
            return self._send(question.message)
        if self._node.tap is not None:
            self._node.tap(QueryGivenUp(self.name, _text(question.message), question.tries))
        self._close(now)
        return self.handle_timeout(now)

    def on_datagram(self, arrived: DatagramArrived, now: Instant) -> list[Action] | None:
        """An answer, when it comes from where the question went, and is about that."""
        question = self._open
        answer = _read(arrived.payload)
        if question is None or answer is None or not _answers(answer, question.message):
            return None
        if (arrived.source, arrived.source_port) != (self._destination, PORT):
            return None
        round_trip = now - question.began_at
        self.result.arrives(now, len(arrived.payload), len(arrived.packet))
        self.result.round_trips.append(round_trip)
        if self._node.tap is not None:
            self._node.tap(QueryAnswered(self.name, _text(answer), answer.address, round_trip))
        self._close(now)
        return self.handle_timeout(now)

    def has_sent(self, packet: bytes) -> bool:
        """A query from this program's port."""
        return udp_ports(packet) == (self.port, PORT)

    def _ask(self, now: Instant) -> list[Action]:
        number = self.result.sends(now)
        kind = TYPE_A if len(self._destination) == 4 else TYPE_AAAA
        name = (f"host{number}".encode(), b"example")
        identifier = int.from_bytes(self._identifiers.bytes(2), "big")
        self._open = _Question(Message(identifier, name, kind), now, now + TIMEOUT)
        return self._send(self._open.message)

    def _send(self, query: Message) -> list[Action]:
        payload = query.emit()
        if self._node.tap is not None:
            self._node.tap(DatagramSent(self.name, self._destination, PORT, len(payload)))
        return self._node.stack.send_datagram(
            None, self.port, self._destination, PORT, payload, tos=self._tos
        )

    def _close(self, now: Instant) -> None:
        self._open = None
        self._next_at = now if self.result.sent < self._count else None


class DnsServer(Listener):
    """Knows one address for every name: its own."""

    port = PORT

    def __init__(self, node: Node, *, name: str, result: Result, **_: object) -> None:
        super().__init__(node, name)  # what it finds out is of interest to nobody

    def on_datagram(self, arrived: DatagramArrived, now: Instant) -> list[Action] | None:
        """Answer a query to where it came from."""
        query = _read(arrived.payload)
        if query is None or query.is_response:
            return None
        own = arrived.destination
        known = own if query.type == (TYPE_A if len(own) == 4 else TYPE_AAAA) else b""
        answer = replace(query, is_response=True, address=known, time_to_live=TIME_TO_LIVE)
        return self._node.stack.send_datagram(own, PORT, arrived.source, arrived.source_port, answer.emit())


def _read(payload: bytes) -> Message | None:
    try:
        return Message.parse(payload)
    except RemoteError:
        return None


def _answers(answer: Message, query: Message) -> bool:
    same = (answer.identifier, answer.name, answer.type) == (query.identifier, query.name, query.type)
    return answer.is_response and same


def _text(message: Message) -> str:
    return ".".join(label.decode("ascii", "replace") for label in message.name)
