"""What the world itself tells: turns and frames on links."""

from dataclasses import dataclass

from ipsecsim.base.trace import TraceEvent, lean


class TrafficSent:
    """What events are besides that tell of an application's sending: `name` is that of its traffic."""

    __slots__ = ()
    name: str


@dataclass(slots=True)
class TurnBegan(TraceEvent):
    """A stimulus reached a node: 'frame', 'timer', 'script', 'start' or 'look'."""

    stimulus: str


@dataclass(slots=True)
class FrameSent(TraceEvent):
    """A packet went onto a link. `frame` numbers the crossing."""

    frame: int
    link: str
    interface: str
    next_hop: bytes
    packet: bytes


FRAME_SENT = lean(FrameSent)


@dataclass(slots=True)
class FrameArrived(TraceEvent):
    """A packet came off a link."""

    frame: int
    link: str
    interface: str
    packet: bytes


@dataclass(slots=True)
class FrameLost(TraceEvent):
    """The link refused a packet that a node sent; the drop that follows says why."""

    frame: int
    link: str


@dataclass(slots=True)
class FrameDoubled(TraceEvent):
    """The link made two frames out of one: `frame` is the second crossing of what `original` carries."""

    frame: int
    original: int
    link: str


@dataclass(slots=True)
class FrameCorrupted(TraceEvent):
    """A bit went wrong on the link: the frame will arrive with `packet` instead of what was sent."""

    frame: int
    link: str
    packet: bytes


@dataclass(slots=True)
class EchoRequestSent(TraceEvent, TrafficSent):
    """A ping application sent a request."""

    name: str
    destination: bytes
    sequence: int


@dataclass(slots=True)
class EchoReplyReceived(TraceEvent):
    """A ping application got an answer; `round_trip` in nanoseconds."""

    name: str
    source: bytes
    sequence: int
    round_trip: int


@dataclass(slots=True)
class EchoReplyMissed(TraceEvent):
    """A ping application waited for an answer long enough."""

    name: str
    sequence: int


@dataclass(slots=True)
class DatagramSent(TraceEvent, TrafficSent):
    """The send application sent a datagram."""

    name: str
    destination: bytes
    destination_port: int
    size: int


@dataclass(slots=True)
class DatagramReceived(TraceEvent):
    """A datagram reached a port on which an application listens."""

    source: bytes
    destination_port: int
    size: int


@dataclass(slots=True)
class FlowListened(TraceEvent):
    """The far end of a flow is ready: it listens at a UDP port."""

    name: str
    port: int


@dataclass(slots=True)
class FlowPacketArrived(TraceEvent):
    """A packet of a flow reached its far end, `transit` nanoseconds after it was sent."""

    name: str
    sequence: int
    transit: int
    is_repeated: bool


@dataclass(slots=True)
class QueryAnswered(TraceEvent):
    """An answer to a DNS query came; `round_trip` in nanoseconds, from the first time it was asked."""

    name: str
    question: str
    address: bytes
    round_trip: int


@dataclass(slots=True)
class QueryGivenUp(TraceEvent):
    """A DNS query was asked often enough, and nobody answered."""

    name: str
    question: str
    tries: int


@dataclass(slots=True)
class HopFound(TraceEvent):
    """A probe of a trace was answered; `is_there` when its destination did so."""

    name: str
    hops: int
    source: bytes
    round_trip: int
    is_there: bool


@dataclass(slots=True)
class HopSilent(TraceEvent):
    """Nobody answers probes that live for so many hops."""

    name: str
    hops: int


@dataclass(slots=True)
class PathMtuFound(TraceEvent):
    """Packets of so many bytes get to the destination of a trace in one piece."""

    name: str
    mtu: int


@dataclass(slots=True)
class TrafficRefused(TraceEvent):
    """An application was told by ICMP that one of its packets got no further. `version` is that of IP."""

    name: str
    source: bytes
    type: int
    code: int
    mtu: int
    version: int


@dataclass(slots=True)
class NoteTaken(TraceEvent):
    """The script says something to whoever follows the story."""

    words: str


@dataclass(slots=True)
class SettingChanged(TraceEvent):
    """The script set something by its path to what is written there."""

    path: str
    value: str


@dataclass(slots=True)
class AddressChanged(TraceEvent):
    """An interface has another address in the place of an old one."""

    interface: str
    old: bytes
    new: bytes


@dataclass(slots=True)
class NodeCrashed(TraceEvent):
    """A node went down, and all that it had in memory is lost."""


@dataclass(slots=True)
class NodeStarted(TraceEvent):
    """A node that was down comes up again, and knows nothing of what was before."""


@dataclass(slots=True)
class NodeAskedInVain(TraceEvent):
    """The script wants something of a node that is down."""


@dataclass(slots=True)
class InterfaceChanged(TraceEvent):
    """An interface of a node went up or down."""

    interface: str
    is_up: bool


@dataclass(slots=True)
class PassingSelected(TraceEvent):
    """An attacker will do something to packets that pass; `words` is the sentence that asks for it."""

    words: str


@dataclass(slots=True)
class BitFlipped(TraceEvent):
    """An attacker changed a bit of a passing packet, counted from its start, and mended checksums in clear."""

    attacker: str
    link: str
    frame: int
    bit: int


@dataclass(slots=True)
class BytesChanged(TraceEvent):
    """An attacker turned over chosen bits of a passing packet, from a byte of it on."""

    attacker: str
    link: str
    frame: int
    at: int
    bits: bytes


@dataclass(slots=True)
class PacketReplayed(TraceEvent):
    """An attacker sends once more what it saw on a link."""

    link: str
    packet: bytes


@dataclass(slots=True)
class NothingSeen(TraceEvent):
    """An attacker has seen no packet that fits, and so has nothing to send again."""
