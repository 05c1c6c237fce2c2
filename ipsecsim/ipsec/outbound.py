"""Outbound processing of one packet under one SA (RFC 4303 3.3)."""

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.ipsec.actions import SendDatagram, SendPacket
from ipsecsim.ipsec.association import LAST_SEQUENCE, SecurityAssociation
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.ipsec.tunnel import outer_dont_fragment, outer_tos
from ipsecsim.wire.esp import HEADER
from ipsecsim.wire.numbers import IpProtocol


def protect(sa: SecurityAssociation, packet: bytes, now: Instant, tap: Tap | None) -> list[Action]:
    """Seal `packet` in ESP tunnel mode and say how it is to be sent."""
    if sa.sequence >= LAST_SEQUENCE:
        # RFC 4303 3.3.3: the counter must never cycle; the SA is finished
        if tap is not None:
            tap(PacketDropped(DropReason.SEQ_EXHAUSTED, packet, f"SPI {sa.spi:08x}"))
        return []
    esp = encapsulate(sa, packet)
    sa.last_used = now
    parameters = sa.parameters
    if tap is not None:
        protection, tail = sa.protection, sa.trailers[len(packet) % len(sa.trailers)]
        tap(
            PacketSealed(
                sa.spi,
                sa.sequence,
                parameters.policy,
                packet,
                len(esp),
                protection.iv_length,
                len(tail) - 2,
                protection.icv_length,
                parameters.udp_ports is not None,
            )
        )
    tos, dont_fragment = outer_tos(packet), outer_dont_fragment(packet)
    if parameters.udp_ports is None:
        return [
            SendPacket(parameters.source, parameters.destination, IpProtocol.ESP, esp, tos, dont_fragment)
        ]
    source_port, destination_port = parameters.udp_ports
    return [
        SendDatagram(
            parameters.source,
            source_port,
            parameters.destination,
            destination_port,
            esp,
            tos,
            dont_fragment,
            checksum=False,  # RFC 3948 2.1: zero, since ESP has its own integrity check
        )
    ]


def encapsulate(sa: SecurityAssociation, packet: bytes) -> bytes:
    """The next ESP packet of the SA, from SPI to ICV."""
    sa.sequence += 1
    sa.packets += 1
    sa.octets += len(packet)
    header = HEADER.pack(sa.parameters.spi, sa.sequence)
    return header + sa.protection.seal(header, packet + sa.trailers[len(packet) % len(sa.trailers)])
