"""ICMP of a node: answers to pings, and errors about packets that got no further (RFC 792, RFC 1122 3.2.2)."""

from ipsecsim.wire import ipv4
from ipsecsim.wire.icmpv4 import ERROR_TYPES, Echo, IcmpError
from ipsecsim.wire.numbers import IpProtocol

QUOTED_DATA = 8  # RFC 792: the header and the first 64 bits of data


def answer_echo(request: Echo) -> bytes:
    """The ICMP message that answers a ping: same identifier, sequence number and data."""
    return Echo(
        is_reply=True, identifier=request.identifier, sequence=request.sequence, data=request.data
    ).emit()


def may_complain_about(packet: bytes) -> bool:
    """No error about an error, a later fragment, or a packet for many (RFC 1122 3.2.2)."""
    if (packet[6] & 0x1F) or packet[7]:
        return False
    if packet[12:16] == bytes(4) or packet[16] >= 224 or packet[12] >= 224:
        return False
    header_length = ipv4.header_length(packet)
    if packet[ipv4.PROTOCOL] != IpProtocol.ICMP:
        return True
    return len(packet) > header_length and packet[header_length] not in ERROR_TYPES


def error_about(packet: bytes, kind: int, code: int, mtu: int = 0) -> IcmpError:
    """An error that quotes the header and first 8 data bytes of `packet`."""
    return IcmpError(kind, code, bytes(packet[: ipv4.header_length(packet) + QUOTED_DATA]), mtu)
