"""What is told of an SA when somebody asks: the items of RFC 4301 4.4.2.1, in the order it lists them."""

from dataclasses import dataclass

from ipsecsim.base.instant import Instant
from ipsecsim.crypto.rows import EspSuite
from ipsecsim.ipsec.association import Mode, SecurityAssociation
from ipsecsim.ipsec.lifetime import Lifetime


@dataclass(frozen=True, slots=True)
class SaDescription:
    """One entry of the SAD. What does not apply to the SA is None; addresses are packed.

    `sequence_counter` is the last number sent, 64 bits or 32 as `sequence_bits` says. `counter_overflow_allowed` is
    never true here. `bypass_dscp`: the inner DSCP goes out as it is; else `mapped_dscp` does.
    """

    direction: str
    policy: str
    peer: str | None
    protocol: str
    selectors: tuple[str, ...]
    spi: int
    sequence_counter: int
    sequence_bits: int
    counter_overflow_allowed: bool
    window_size: int
    window_top: int
    window: str
    ah_integrity: str | None
    ah_integrity_key: bytes | None
    esp_encryption: str | None
    esp_encryption_key: bytes | None
    esp_integrity: str | None
    esp_integrity_key: bytes | None
    esp_is_combined: bool | None
    lifetime: Lifetime
    expires_at: Instant
    is_to_be_replaced: bool
    mode: str
    stateful_fragment_checking: bool
    dont_fragment: str | None
    dscp_values: tuple[int, ...]
    bypass_dscp: bool | None
    mapped_dscp: int | None
    path_mtu: int | None
    tunnel_source: bytes | None
    tunnel_destination: bytes | None
    packets: int
    octets: int


def describe(sa: SecurityAssociation) -> SaDescription:
    """The SA as it stands now, keys included."""
    parameters, suite = sa.parameters, sa.parameters.suite
    is_esp, is_tunnel = isinstance(suite, EspSuite), parameters.mode is Mode.TUNNEL
    integrity = None if suite.integrity is None else suite.integrity.word
    is_ipv4 = len(parameters.source) == 4
    return SaDescription(
        direction=parameters.direction.value,
        policy=parameters.policy,
        peer=parameters.peer or None,
        protocol=parameters.protocol.name,
        selectors=tuple(str(selector) for selector in parameters.selectors),
        spi=parameters.spi,
        sequence_counter=sa.sequence,
        sequence_bits=64 if parameters.extended_sequence else 32,
        counter_overflow_allowed=False,
        window_size=sa.replay.size,
        window_top=sa.replay.top,
        window=sa.replay.picture(sa.replay.size),
        ah_integrity=None if is_esp else integrity,
        ah_integrity_key=None if is_esp else parameters.integrity_key,
        esp_encryption=suite.encryption.word_for(suite.key_bits) if isinstance(suite, EspSuite) else None,
        esp_encryption_key=parameters.encryption_key if is_esp else None,
        esp_integrity=integrity if is_esp else None,
        esp_integrity_key=parameters.integrity_key if is_esp and integrity else None,
        esp_is_combined=suite.encryption.combined if isinstance(suite, EspSuite) else None,
        lifetime=parameters.lifetime,
        expires_at=sa.installed_at + parameters.lifetime.hard.duration,
        is_to_be_replaced=sa.has_expired_softly,
        mode=parameters.mode.value,
        stateful_fragment_checking=parameters.stateful_fragments,
        dont_fragment=parameters.dont_fragment.value if is_tunnel and is_ipv4 else None,
        dscp_values=parameters.dscp_values,
        bypass_dscp=parameters.dscp is None if is_tunnel else None,
        mapped_dscp=parameters.dscp if is_tunnel else None,
        path_mtu=sa.path_mtu,
        tunnel_source=parameters.source if is_tunnel else None,
        tunnel_destination=parameters.destination if is_tunnel else None,
        packets=sa.packets,
        octets=sa.octets,
    )
