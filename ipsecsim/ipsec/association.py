"""Security Associations: one direction's keys, counters and selectors (RFC 4301 4.4.2)."""

from dataclasses import dataclass, field
from enum import Enum

from ipsecsim.base.instant import Instant
from ipsecsim.crypto.catalogue import EspSuite
from ipsecsim.crypto.protection import Protection, make_protection
from ipsecsim.ipsec.replay import ReplayWindow
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire.esp import trailer
from ipsecsim.wire.numbers import IpProtocol

LAST_SEQUENCE = 0xFFFF_FFFF
ESP_ALIGNMENT = 4  # RFC 4303 2.4: the trailer ends on a 4-byte boundary, whatever the cipher


class Mode(Enum):
    """What is protected: a whole packet inside a new one."""

    TUNNEL = "tunnel"


class Direction(Enum):
    """Which way an SA carries packets; SAs are simplex."""

    INBOUND = "in"
    OUTBOUND = "out"


@dataclass(slots=True)
class SaParameters:
    """All that IKE (or a person, by hand) agreed on for one SA.

    `source` and `destination` are the outer, packed addresses. `udp_ports` are (source, destination)
    when ESP rides in UDP (RFC 3948), else None.
    """

    direction: Direction
    spi: int
    source: bytes
    destination: bytes
    suite: EspSuite
    encryption_key: bytes
    integrity_key: bytes
    selectors: tuple[Selector, ...]
    policy: str
    mode: Mode = Mode.TUNNEL
    replay_window: int = 32
    udp_ports: tuple[int, int] | None = None


@dataclass(slots=True)
class SecurityAssociation:
    """An SA at work: the parameters, the keyed cipher built once, and what it has counted."""

    parameters: SaParameters
    installed_at: Instant
    protection: Protection
    replay: ReplayWindow
    trailers: tuple[bytes, ...]
    sequence: int = 0
    packets: int = 0
    octets: int = 0
    last_used: Instant = field(default=-1)
    accepted_flows: set[bytes] = field(default_factory=set)  # flow keys that the selectors let in

    @classmethod
    def install(cls, parameters: SaParameters, now: Instant) -> "SecurityAssociation":
        """Build the keyed objects and the table of trailers."""
        suite = parameters.suite
        protection = make_protection(
            suite.encryption,
            suite.key_bits,
            parameters.encryption_key,
            suite.integrity,
            parameters.integrity_key,
        )
        alignment = max(ESP_ALIGNMENT, protection.alignment)
        # one trailer for each length modulo the alignment: no padding is computed per packet
        trailers = tuple(trailer(length, alignment, IpProtocol.IPV4) for length in range(alignment))
        return cls(parameters, now, protection, ReplayWindow(parameters.replay_window), trailers)

    @property
    def spi(self) -> int:
        """The number by which the receiver finds this SA."""
        return self.parameters.spi
