"""Security Associations: one direction's keys, counters and selectors (RFC 4301 4.4.2)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.catalogue import AhSuite, EspSuite
from ipsecsim.ipsec.ah import Ah
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.lifetime import ENDLESS, Lifetime
from ipsecsim.ipsec.replay import ReplayWindow
from ipsecsim.ipsec.selector import Selector
from ipsecsim.ipsec.transport import TransportForm
from ipsecsim.ipsec.tunnel import EcnEntry, OuterDontFragment, OuterHeader, TunnelForm
from ipsecsim.wire.ipv4 import LARGEST_PACKET
from ipsecsim.wire.numbers import IpProtocol

FIRST_SPI = 256  # RFC 4303 2.1: 0 is never sent, 1 to 255 are reserved
LAST_SEQUENCE = 0xFFFF_FFFF
LAST_EXTENDED_SEQUENCE = 0xFFFF_FFFF_FFFF_FFFF


class Mode(Enum):
    """What is protected: a whole packet inside a new one, or the payload of the packet itself (RFC 4301 4.1)."""

    TUNNEL = "tunnel"
    TRANSPORT = "transport"


class Direction(Enum):
    """Which way an SA carries packets; SAs are simplex."""

    INBOUND = "in"
    OUTBOUND = "out"


@dataclass(frozen=True, slots=True)
class Outer:
    """What stands around ESP or AH: packed addresses and, where ESP rides in UDP, ports (source, destination)."""

    source: bytes
    destination: bytes
    udp_ports: tuple[int, int] | None


@dataclass(slots=True)
class SaParameters:
    """All that IKE (or a person, by hand) agreed on for one SA.

    `source` and `destination` are the outer, packed addresses. `udp_ports` are (source, destination)
    when ESP rides in UDP (RFC 3948), else None. A `replay_window` of 0 switches anti-replay off. `sequence`
    is the number of the last packet sent before, or the right edge of the window.

    `dscp` None copies the inner one out; `copy_dscp_in` copies the outer one in. `tfc_length` pads inner packets
    up to that many bytes (RFC 4303 2.7). `ah_alignment`: RFC 4302 2.6 asks for 4 in IPv4;
    states that `ip xfrm` makes on Linux want 8, unless they have the flag align4, which strongSwan's have.
    `original_addresses` are source and destination as the sender saw them, when a NAT on the way is known to
    have changed them: transport-mode checksums count them (RFC 3948 3.1.2).

    `dscp_values`, when there are any, choose among SAs for the same traffic: this one carries packets with those
    (RFC 4301 4.4.2.1). `stateful_fragments`: both ends agreed on NON_FIRST_FRAGMENTS_ALSO, so that later fragments
    go along with the first one although the selectors name ports (RFC 4301 7.3). `peer` is the identity that the
    other end has proved; nobody has when the keys came by hand.
    """

    direction: Direction
    spi: int
    source: bytes
    destination: bytes
    suite: EspSuite | AhSuite
    encryption_key: bytes
    integrity_key: bytes
    selectors: tuple[Selector, ...]
    policy: str
    mode: Mode = Mode.TUNNEL
    replay_window: int = 32
    udp_ports: tuple[int, int] | None = None
    extended_sequence: bool = False
    sequence: int = 0
    lifetime: Lifetime = field(default_factory=Lifetime)
    dont_fragment: OuterDontFragment = OuterDontFragment.COPY
    fragment_first: bool = True
    dscp: int | None = None
    copy_dscp_in: bool = False
    ecn: EcnEntry = EcnEntry.NORMAL
    hop_limit: int = 64
    tfc_length: int = 0
    ah_alignment: int | None = None
    original_addresses: tuple[bytes, bytes] | None = None
    dscp_values: tuple[int, ...] = ()
    stateful_fragments: bool = False
    peer: str = ""

    @property
    def protocol(self) -> IpProtocol:
        """ESP or AH, by the kind of suite."""
        return IpProtocol.ESP if isinstance(self.suite, EspSuite) else IpProtocol.AH


@dataclass(slots=True, eq=False)  # two SAs are never the same one, whatever their parameters
class SecurityAssociation:
    """An SA at work: the parameters, the keyed objects built once, and what it has counted.

    The fields called `look_...` say from where on a packet is no common one any more; `expiry` sets them, and
    `path_mtu` the one for the packet's length.
    """

    parameters: SaParameters
    installed_at: Instant
    transform: Esp | Ah
    form: TunnelForm | TransportForm
    replay: ReplayWindow
    last_sequence: int
    sequence: int = 0
    packets: int = 0
    octets: int = 0
    look_at: Instant = ENDLESS
    look_sequence: int = ENDLESS  # of an outbound SA
    look_packets: int = ENDLESS  # of an inbound one
    look_octets: int = ENDLESS
    look_length: int = LARGEST_PACKET
    has_expired_softly: bool = False
    last_used: Instant = field(default=-1)
    path_mtu: int | None = None
    failures: int = 0  # integrity failures in a row
    accepted_flows: set[bytes] = field(default_factory=set)  # flow keys that were let in
    accepted_revision: int = 0  # of the SPD that let them in

    @classmethod
    def install(
        cls, parameters: SaParameters, now: Instant, identification: Callable[[], int]
    ) -> "SecurityAssociation":
        """Build the keyed objects, the outer header and the table of trailers. Raises LocalError for nonsense.

        `identification` gives the IP identification of each new outer header.
        """
        _check(parameters)
        replay = ReplayWindow(
            parameters.replay_window, parameters.sequence, extended=parameters.extended_sequence
        )
        last = LAST_EXTENDED_SEQUENCE if parameters.extended_sequence else LAST_SEQUENCE
        return cls(
            parameters,
            now,
            _transform(parameters),
            _form(parameters, identification),
            replay,
            last,
            parameters.sequence,
        )

    @property
    def spi(self) -> int:
        """The number by which the receiver finds this SA."""
        return self.parameters.spi

    def move(self, outer: "Outer", identification: Callable[[], int]) -> None:
        """Go on between other outer addresses: keys, numbers and the replay window stay (RFC 4555 3.5).

        Only in tunnel mode; MOBIKE is about nothing else (RFC 4555 1.1).
        """
        is_other_version = len(outer.source) != len(self.parameters.source)
        self.parameters = replace(
            self.parameters,
            source=outer.source,
            destination=outer.destination,
            udp_ports=outer.udp_ports,
        )
        self.form = _form(self.parameters, identification)
        if is_other_version and isinstance(self.transform, Ah):
            self.transform = _transform(self.parameters)  # its header has another alignment in IPv6


def _check(parameters: SaParameters) -> None:
    if not FIRST_SPI <= parameters.spi <= LAST_SEQUENCE:
        raise LocalError(f"an SPI of {parameters.spi}")
    if parameters.replay_window and not 32 <= parameters.replay_window <= 4096:
        raise LocalError(f"a replay window of {parameters.replay_window}: 32 to 4096, or 0")
    if parameters.extended_sequence and not parameters.replay_window:
        # RFC 4303 3.3.3: without a window nobody keeps track of the high half
        raise LocalError("extended sequence numbers need a replay window")
    if isinstance(parameters.suite, AhSuite):
        if parameters.udp_ports is not None:
            raise LocalError("AH cannot ride in UDP (RFC 3948 1)")
    elif not parameters.suite.is_authenticated and not parameters.suite.encryption_key_length:
        raise LocalError("an SA that neither encrypts nor authenticates (RFC 4301 4.2)")
    elif not parameters.suite.is_authenticated and parameters.replay_window:
        raise LocalError("anti-replay without an integrity check (RFC 4303 3.4.3)")


def _transform(parameters: SaParameters) -> Esp | Ah:
    suite = parameters.suite
    if isinstance(suite, EspSuite):
        return Esp(
            suite,
            parameters.encryption_key,
            parameters.integrity_key,
            parameters.spi,
            extended=parameters.extended_sequence,
            tfc_length=parameters.tfc_length if parameters.mode is Mode.TUNNEL else 0,
        )
    alignment = parameters.ah_alignment or (4 if len(parameters.source) == 4 else 8)
    return Ah(
        suite.integrity,
        parameters.integrity_key,
        parameters.spi,
        extended=parameters.extended_sequence,
        alignment=alignment,
    )


def _form(parameters: SaParameters, identification: Callable[[], int]) -> TunnelForm | TransportForm:
    if parameters.mode is Mode.TRANSPORT:
        around = parameters.protocol if parameters.udp_ports is None else IpProtocol.UDP
        return TransportForm(around, parameters.original_addresses)
    outer = OuterHeader(
        parameters.source,
        parameters.destination,
        parameters.protocol,
        identification,
        dont_fragment=parameters.dont_fragment,
        dscp=parameters.dscp,
        ecn=parameters.ecn,
        hop_limit=parameters.hop_limit,
    )
    return TunnelForm(outer, copy_dscp_in=parameters.copy_dscp_in)
