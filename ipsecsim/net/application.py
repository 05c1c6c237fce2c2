"""A program on a node: what it is told, when it wants to be woken, and what it finds out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Duration, Instant
from ipsecsim.net.events import TrafficRefused
from ipsecsim.stack import icmp
from ipsecsim.stack.actions import DatagramArrived, EchoReplyArrived, IcmpErrorArrived
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol

if TYPE_CHECKING:
    from ipsecsim.net.node import Node


@dataclass(slots=True)
class Result:
    """What one traffic found out, both of its ends together. Times in nanoseconds.

    `received` counts what arrived, or was answered, each once. `data` are the bytes of it that applications see,
    `largest` is its largest packet with all headers. `began_at` is the first sending, `ended_at` the last arrival.
    """

    sent: int = 0
    received: int = 0
    repeated: int = 0
    overtaken: int = 0
    refused: int = 0
    data: int = 0
    largest: int = 0
    jitter: Duration = 0
    began_at: Instant | None = None
    ended_at: Instant | None = None
    round_trips: list[Duration] = field(default_factory=list)
    hops: list[bytes | None] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Sent, and nothing known of it (so far)."""
        return self.sent - self.received

    @property
    def duration(self) -> Duration:
        """From the first sending to the last arrival; 0 when nothing arrived."""
        if self.began_at is None or self.ended_at is None:
            return 0
        return self.ended_at - self.began_at

    def sends(self, now: Instant) -> int:
        """Count one more packet: its number, from 1."""
        if self.began_at is None:
            self.began_at = now
        self.sent += 1
        return self.sent

    def arrives(self, now: Instant, data: int, packet: int) -> None:
        """Count the arrival of so many bytes of data, in a packet of so many, for the first time."""
        self.received += 1
        self.data += data
        self.largest = max(self.largest, packet)
        self.ended_at = now


class Application:
    """Does nothing: each program says what it does otherwise. It ends when it has no deadline any more."""

    def __init__(self, node: "Node", name: str, result: Result | None = None) -> None:
        self.name = name
        self.result = Result() if result is None else result
        self._node = node

    def next_deadline(self) -> Instant | None:
        """When `handle_timeout` has something to do."""
        return None

    def handle_timeout(self, now: Instant) -> list[Action]:
        """Harmless when early, when repeated, and when nothing is due."""
        return []

    def on_echo_reply(self, arrived: EchoReplyArrived, now: Instant) -> list[Action]:
        """An echo reply reached the node; ignore it when it is not yours."""
        return []

    def on_datagram(self, arrived: DatagramArrived, now: Instant) -> list[Action] | None:
        """A datagram reached a port that this program listens on. None when it is for somebody else there."""
        return None

    def on_icmp_error(self, arrived: IcmpErrorArrived, about: bytes, now: Instant) -> list[Action]:
        """Bad news of a packet that this node sent, of which `about` is the beginning; is it this program's?"""
        if not self.has_sent(about):
            return []
        self.result.refused += 1
        if self._node.tap is not None:
            error = arrived.error
            mtu = error.mtu if icmp.is_too_big(error) else 0
            self._node.tap(
                TrafficRefused(self.name, arrived.source, error.type, error.code, mtu, ip.version(about))
            )
        return self.on_refusal(arrived, about, now)

    def has_sent(self, packet: bytes) -> bool:
        """Is this one of the program's packets? Perhaps no more than 8 bytes of its data are there."""
        return False

    def on_refusal(self, arrived: IcmpErrorArrived, packet: bytes, now: Instant) -> list[Action]:
        """What the program does about it."""
        return []


class Listener(Application):
    """A program that waits at a port for what others send."""

    port: int


@dataclass(frozen=True, slots=True)
class App:
    """One kind of traffic: `near` begins, `far` listens at the other end where somebody has to.

    `measures` can be asked of what they find out.
    """

    near: Callable[..., Application]
    measures: frozenset[str]
    far: Callable[..., Listener] | None = None


def udp_ports(packet: bytes) -> tuple[int, int] | None:
    """Source and destination port of a UDP packet of which the beginning is there."""
    protocol, at = ip.upper_layer(packet)
    if protocol != IpProtocol.UDP or len(packet) < at + 4:
        return None
    return int.from_bytes(packet[at : at + 2], "big"), int.from_bytes(packet[at + 2 : at + 4], "big")
