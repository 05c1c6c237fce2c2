"""Outbound processing of one packet: ESP or AH around it, ready to be sent (RFC 4303 3.3, RFC 4302 3.3)."""

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import Tap
from ipsecsim.ipsec.actions import SendDatagram, SendPacket
from ipsecsim.ipsec.association import SecurityAssociation
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.ipsec.transport import TransportForm
from ipsecsim.ipsec.tunnel import TunnelForm
from ipsecsim.wire import ip, udp
from ipsecsim.wire.ah import FIXED_LENGTH
from ipsecsim.wire.checksum import update
from ipsecsim.wire.esp import HEADER_LENGTH as ESP_HEADER_LENGTH
from ipsecsim.wire.esp import TRAILER_LENGTH
from ipsecsim.wire.numbers import IpProtocol


def protected_length(sa: SecurityAssociation, packet: bytes) -> int:
    """How long the packet will be on the wire."""
    form = sa.form
    header = form.header_length(packet)
    payload = len(packet) if isinstance(form, TunnelForm) else len(packet) - header
    in_udp = 0 if sa.parameters.udp_ports is None else udp.HEADER_LENGTH
    return header + in_udp + sa.transform.length_around(payload)


def protect(
    sa: SecurityAssociation,
    packet: bytes,
    now: Instant,
    tap: Tap | None,
    content: tuple[bytes, int] | None = None,
) -> Action:
    """Seal `packet` and say how it is to be sent. The caller has seen to length and lifetime.

    `content` is what goes inside and its next header, where that is not the form's business.
    """
    form, transform = sa.form, sa.transform
    payload, next_header = content or form.enclose(packet)
    sa.sequence += 1
    sa.packets += 1
    sa.octets += len(packet)
    sa.last_used = now
    parameters = sa.parameters
    if parameters.udp_ports is None:
        header = form.header(packet, transform.length_around(len(payload)))
        sealed = transform.seal(header, payload, next_header, sa.sequence)
        action: Action = SendPacket(header + sealed)
    else:
        sealed = transform.seal(b"", payload, next_header, sa.sequence)
        if isinstance(form, TunnelForm):
            action = _tunnel_in_udp(sa, form, packet, sealed, parameters.udp_ports)
        else:
            action = _transport_in_udp(sa, form, packet, sealed, parameters.udp_ports)
    if tap is not None:
        tap(_sealed(sa, packet, payload, len(sealed)))
    return action


def protect_dummy(sa: SecurityAssociation, length: int, now: Instant, tap: Tap | None) -> Action:
    """A packet of the SA that carries nothing: `length` bytes behind next header 59 (RFC 4303 2.6).

    Who listens cannot tell it from others; the receiver discards it once it is opened.
    """
    parameters = sa.parameters
    nothing = ip.build(parameters.source, parameters.destination, IpProtocol.NO_NEXT, bytes(length))
    return protect(sa, nothing, now, tap, (bytes(length), IpProtocol.NO_NEXT))


def to_be_cut(action: Action) -> Action:
    """The same protected packet, without DF: it is too long for its path, and policy wants it to go in pieces."""
    if isinstance(action, SendDatagram):
        action.dont_fragment = False
    elif isinstance(action, SendPacket) and action.packet[0] >> 4 == 4 and action.packet[6] & 0x40:
        packet = bytearray(action.packet)
        old = packet[6] << 8 | packet[7]
        packet[6] &= ~0x40  # AH does not sign it (RFC 4302 3.3.3.1.1.1)
        checksum = update(packet[10] << 8 | packet[11], old, packet[6] << 8 | packet[7])
        packet[10:12] = checksum.to_bytes(2, "big")
        action.packet = bytes(packet)
    return action


def _tunnel_in_udp(
    sa: SecurityAssociation, form: TunnelForm, packet: bytes, sealed: bytes, ports: tuple[int, int]
) -> SendDatagram:
    """A datagram of this node (RFC 3948 3.4), whose headers the host's stack makes."""
    parameters = sa.parameters
    return SendDatagram(
        parameters.source,
        ports[0],
        parameters.destination,
        ports[1],
        sealed,
        form.outer.traffic_class(packet),
        form.outer.dont_fragment(packet),
        checksum=_wants_checksum(sa),
        sealed=True,
    )


def _transport_in_udp(
    sa: SecurityAssociation, form: TransportForm, packet: bytes, sealed: bytes, ports: tuple[int, int]
) -> SendPacket:
    """The packet's own header with all that is in it, then a UDP header (RFC 3948 3.2)."""
    source, destination = ip.addresses(packet)
    segment = udp.build(source, destination, *ports, sealed, checksum=_wants_checksum(sa))
    return SendPacket(form.header(packet, len(segment)) + segment, ports)


def _wants_checksum(sa: SecurityAssociation) -> bool:
    """RFC 3948 2.1: zero over IPv4, since ESP has its own integrity check; IPv6 wants one (RFC 8200 8.1)."""
    return len(sa.parameters.source) == 16


def _sealed(sa: SecurityAssociation, packet: bytes, payload: bytes, length: int) -> PacketSealed:
    transform = sa.transform
    padding = transform.padding(len(payload))
    if isinstance(transform, Esp):
        iv_length, icv_length = transform.protection.iv_length, transform.protection.icv_length
        fixed = ESP_HEADER_LENGTH + TRAILER_LENGTH
    else:
        iv_length, icv_length = 0, transform.length - FIXED_LENGTH - padding
        fixed = FIXED_LENGTH
    return PacketSealed(
        sa.spi,
        sa.sequence,
        sa.parameters.policy,
        packet,
        length - fixed - iv_length - padding - icv_length,
        length,
        iv_length,
        padding,
        icv_length,
        sa.parameters.udp_ports is not None,
        sa.parameters.protocol.name,
        sa.parameters.mode.value,
    )
