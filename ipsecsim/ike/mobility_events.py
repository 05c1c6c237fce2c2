"""What IKE tells about addresses that change (RFC 4555)."""

from dataclasses import dataclass

from ipsecsim.base.trace import TraceEvent


@dataclass(slots=True)
class MobikeAgreed(TraceEvent):
    """Both sides can change their addresses. Who began the first IKE SA decides which ones are used."""

    spi_i: bytes
    we_decide: bool


@dataclass(slots=True)
class PeerAddressesLearned(TraceEvent):
    """The peer said at which addresses it is, the one that it speaks from first."""

    spi_i: bytes
    addresses: tuple[bytes, ...]


@dataclass(slots=True)
class PathsTried(TraceEvent):
    """Nobody knows which way works: the request goes over each of them, and the first answer decides.

    Pairs are (our address, the peer's).
    """

    spi_i: bytes
    why: str
    pairs: tuple[tuple[bytes, bytes], ...]


@dataclass(slots=True)
class PathChanged(TraceEvent):
    """The IKE SA goes on between other addresses. Pairs are (our address, the peer's)."""

    spi_i: bytes
    before: tuple[bytes, bytes]
    after: tuple[bytes, bytes]
    by_peer: bool


@dataclass(slots=True)
class PeerRebound(TraceEvent):
    """The newest authentic packet of a peer behind a NAT came from another address or port: it is answered there.

    With `only_esp` IKE itself waits until the peer asks for it.
    """

    spi_i: bytes
    before: tuple[bytes, int]
    after: tuple[bytes, int]
    only_esp: bool


@dataclass(slots=True)
class AddressLost(TraceEvent):
    """The address that an IKE SA uses is gone on our side."""

    spi_i: bytes
    address: bytes
    outcome: str


@dataclass(slots=True)
class AddressUpdateRefused(TraceEvent):
    """New addresses were not taken, by us or by the peer."""

    spi_i: bytes
    pair: tuple[bytes, bytes]
    by_peer: bool
    why: str


@dataclass(slots=True)
class RoutabilityChecked(TraceEvent):
    """The peer was asked at its new address, and sent the cookie back unchanged, or did not."""

    spi_i: bytes
    address: bytes
    is_good: bool


@dataclass(slots=True)
class NatMappingChanged(TraceEvent):
    """The peer sees us at another address or port than before."""

    spi_i: bytes
