"""Transport mode: ESP or AH between a packet's own header and what it carried (RFC 4303 3.1.1, RFC 4302 3.1.1)."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.ipsec.checksum_repair import repaired
from ipsecsim.ipsec.errors import Refused
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.checksum import internet_checksum
from ipsecsim.wire.reader import Malformed


class TransportForm:
    """The payload of a packet, behind its own header. `protocol` is what follows it: ESP, AH, or UDP around ESP.

    `original_addresses`: source and destination as the sender's checksums count them, when a NAT on the way
    changed them.
    """

    __slots__ = ("_original_addresses", "_protocol")

    def __init__(self, protocol: int, original_addresses: tuple[bytes, bytes] | None = None) -> None:
        self._protocol = protocol
        self._original_addresses = original_addresses

    def header_length(self, packet: bytes) -> int:
        """Bytes of IP header that will stand in front: in IPv6 with what is read on the way."""
        return _split(packet)[1]

    def enclose(self, packet: bytes) -> tuple[bytes, int]:
        """What goes into ESP or AH, and the next header that names it."""
        field, end = _split(packet)
        return packet[end:], packet[field]

    def header(self, packet: bytes, length: int) -> bytes:
        """The packet's own header, in front of `length` bytes of `protocol`. Raises LocalError if too long."""
        field, end = _split(packet)
        return _rewritten(packet[:end], field, self._protocol, length)

    def disclose(self, outer: bytes, start: int, payload: bytes, next_header: int) -> bytes:
        """The packet as it was before protection; its headers are those of `outer` that stood in front.

        A sender may have put destination options there (RFC 4303 3.1.1). With ESP in UDP the UDP header goes, and
        the checksums inside are mended (RFC 3948 3.1.2). Raises RemoteError (INNER_MALFORMED).
        """
        field, end = ipv6.all_extensions(outer) if outer[0] >> 4 == 6 else _split(outer)
        if start != end:
            original = self._original_addresses
            payload = repaired(payload, next_header, original, (ip.source(outer), ip.destination(outer)))
        packet = _rewritten(outer[:end], field, next_header, len(payload)) + payload
        if next_header in ipv6.EXTENSIONS and packet[0] >> 4 == 6:
            _check_extensions(packet)
        return packet


def _split(packet: bytes) -> tuple[int, int]:
    """Where the field stands that names what follows the header, and where the header ends."""
    if packet[0] >> 4 == 6:
        return ipv6.per_hop_part(packet)
    return ipv4.PROTOCOL, (packet[0] & 0x0F) << 2


def _check_extensions(packet: bytes) -> None:
    """Extension headers that were inside, seen for the first time."""
    try:
        ipv6.chain(packet)
    except Malformed as wrong:
        raise Refused(DropReason.INNER_MALFORMED, str(wrong)) from wrong


def _rewritten(header: bytes, field: int, protocol: int, length: int) -> bytes:
    """The header with another protocol and another length behind it."""
    changed = bytearray(header)
    changed[field] = protocol
    if header[0] >> 4 == 6:
        length += len(header) - ipv6.HEADER_LENGTH
        if length > ipv6.LARGEST_PAYLOAD:
            raise LocalError(f"an IPv6 packet cannot carry {length} bytes")
        changed[4:6] = length.to_bytes(2, "big")
        return bytes(changed)
    total = len(header) + length
    if total > ipv4.LARGEST_PACKET:
        raise LocalError(f"an IPv4 packet cannot have {total} bytes")
    changed[2:4] = total.to_bytes(2, "big")
    changed[10:12] = bytes(2)
    changed[10:12] = internet_checksum(bytes(changed)).to_bytes(2, "big")
    return bytes(changed)
