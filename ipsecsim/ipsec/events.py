"""What the IPsec engine tells about its decisions."""

from dataclasses import dataclass

from ipsecsim.base.trace import TraceEvent


@dataclass(slots=True)
class PolicyMatched(TraceEvent):
    """The SPD gave a verdict on a packet that crosses the IPsec boundary."""

    policy: str
    verdict: str
    direction: str


@dataclass(slots=True)
class PacketHeld(TraceEvent):
    """A PROTECT rule has no SA yet: the packet waits for one."""

    policy: str
    packet: bytes


@dataclass(slots=True)
class HoldEnded(TraceEvent):
    """A packet no longer waits for an SA; what follows tells its fate."""

    policy: str
    packet: bytes


@dataclass(slots=True)
class SaInstalled(TraceEvent):
    """An SA entered the SAD. `encryption_key` includes the salt of a counter-mode cipher.

    `sequence` is the number that was used last before: 0 unless an SA goes on where another left off.
    """

    spi: int
    direction: str
    policy: str
    source: bytes
    destination: bytes
    suite: str
    mode: str
    encryption_key: bytes
    integrity_key: bytes
    udp_ports: tuple[int, int] | None
    selectors: tuple[str, ...]
    sequence: int
    extended_sequence: bool
    protocol: str


@dataclass(slots=True)
class SaRemoved(TraceEvent):
    """An SA left the SAD."""

    spi: int
    direction: str
    policy: str
    packets: int
    octets: int


@dataclass(slots=True)
class SaMoved(TraceEvent):
    """An SA goes on between other outer addresses, or with another wrapping. Pairs are (source, destination)."""

    spi: int
    direction: str
    policy: str
    protocol: str
    before: tuple[bytes, bytes]
    after: tuple[bytes, bytes]
    udp_ports: tuple[int, int] | None


@dataclass(slots=True)
class SaConflictFound(TraceEvent):
    """A new SA is for the traffic of an SA that another peer has. Names are empty where keys came by hand."""

    spi: int
    direction: str
    policy: str
    mode: str
    peer: str
    selectors: tuple[str, ...]
    standing_spi: int
    standing_policy: str
    standing_peer: str
    is_refused: bool


@dataclass(slots=True)
class SaExpiring(TraceEvent):
    """An SA reached a soft limit: its replacement is due. `limit` is the word for what runs out."""

    spi: int
    direction: str
    policy: str
    protocol: str
    limit: str


@dataclass(slots=True)
class SaExpired(TraceEvent):
    """An SA reached a hard limit and is taken out. Addresses are the outer ones, `sequence` its last number."""

    spi: int
    direction: str
    policy: str
    protocol: str
    limit: str
    source: bytes
    destination: bytes
    selectors: tuple[str, ...]
    sequence: int


@dataclass(slots=True)
class SaPathMtuLowered(TraceEvent):
    """An ICMP error said that a packet of this SA was too big. Bytes; `inner` is what a packet may have now."""

    spi: int
    policy: str
    mtu: int
    inner: int


@dataclass(slots=True)
class IcmpErrorBelieved(TraceEvent):
    """An ICMP error for this node came across the boundary in clear, and the settings let it in."""

    protocol: int
    type: int
    code: int


@dataclass(slots=True)
class PacketSealed(TraceEvent):
    """ESP or AH was put around a packet. Lengths in bytes; `padding` without pad length and next header.

    `carried` counts what stands between IV and padding, `length` all from SPI or AH to the end.
    """

    spi: int
    sequence: int
    policy: str
    inner: bytes
    carried: int
    length: int
    iv_length: int
    padding: int
    icv_length: int
    in_udp: bool
    protocol: str
    mode: str


@dataclass(slots=True)
class PacketOpened(TraceEvent):
    """ESP or AH was taken off, its ICV checked where the SA `is_authenticated`.

    `window_top` is None where nobody looks for replays.
    """

    spi: int
    sequence: int
    policy: str
    inner: bytes
    window_top: int | None
    protocol: str
    is_authenticated: bool


@dataclass(slots=True)
class SequenceResynchronised(TraceEvent):
    """So many packets were lost that the high half of the sequence number had to be found by trying."""

    spi: int
    expected: int
    found: int


@dataclass(slots=True)
class ReplayRejected(TraceEvent):
    """The window had already seen this number, or had moved past it."""

    spi: int
    sequence: int
    window_top: int
