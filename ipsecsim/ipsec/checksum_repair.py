"""Checksums inside transport mode that a NAT has made wrong: TCP and UDP count the IP addresses (RFC 3948 3.1.2).

The NAT mended what it saw, the UDP header outside, and could not see those within.
"""

from ipsecsim.wire.checksum import replaced, transport_checksum
from ipsecsim.wire.numbers import IpProtocol

_CHECKSUM_AT = {IpProtocol.TCP: 16, IpProtocol.UDP: 6, IpProtocol.ICMPV6: 2}

Addresses = tuple[bytes, bytes]
"""Source and destination, packed."""


def repaired(payload: bytes, protocol: int, original: Addresses | None, current: Addresses) -> bytes:
    """The segment with a checksum that fits its current addresses.

    When the original addresses are known the difference is taken off, so that damage from elsewhere still
    shows; else the checksum is made anew. A UDP checksum of 0 stays: there is none.
    """
    at = _CHECKSUM_AT.get(protocol)  # type: ignore[call-overload]
    if at is None or len(payload) < at + 2 or original == current:
        return payload
    old = payload[at : at + 2]
    if protocol == IpProtocol.UDP and old == bytes(2):
        return payload
    if original is None:
        blank = payload[:at] + bytes(2) + payload[at + 2 :]
        checksum = transport_checksum(*current, protocol, blank)
    else:
        checksum = replaced(int.from_bytes(old, "big"), b"".join(original), b"".join(current))
    if protocol == IpProtocol.UDP and not checksum:
        checksum = 0xFFFF
    return payload[:at] + checksum.to_bytes(2, "big") + payload[at + 2 :]
