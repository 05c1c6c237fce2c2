"""A packet changed as an attacker would: one bit, checksums mended so that only keys can tell, or chosen bits."""

from typing import NamedTuple

from ipsecsim.base.entropy import Entropy
from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import ip
from ipsecsim.wire.checksum import update
from ipsecsim.wire.numbers import IpProtocol


class Mask(NamedTuple):
    """Chosen bits: they turn over what follows a packet's first IP header, from its byte `at` on."""

    at: int
    bits: bytes


class _Layout(NamedTuple):
    """How long a header is, and where in it the checksum stands."""

    length: int
    checksum: int


_SUMMED: dict[int, _Layout] = {
    IpProtocol.UDP: _Layout(8, 6),
    IpProtocol.TCP: _Layout(20, 16),
    IpProtocol.ICMP: _Layout(8, 2),
    IpProtocol.ICMPV6: _Layout(8, 2),
}


def flipped(packet: bytes, chance: Entropy) -> tuple[bytes, int]:
    """The packet with one bit changed of what it carries, and which bit of the packet that was.

    Headers of IP, UDP, TCP and ICMP stay as they are, but for the checksum, wherever anything follows them.
    """
    begin, end, summed = _contents(packet)
    bit = 8 * begin + chance.below(8 * (end - begin))
    made = bytearray(packet)
    at = bit >> 3
    made[at] ^= 0x80 >> (bit & 7)
    if summed is not None:
        start, field = summed
        _mend(made, field, packet, start + (at - start & ~1), end)
    return bytes(made), bit


def masked(packet: bytes, mask: Mask) -> tuple[bytes, int]:
    """The packet with the bits of a mask turned over, and from which byte of the packet on.

    Nothing is mended: who chooses bits has thought of that. A packet too short for the mask stays as it is.
    """
    try:
        ip.check(packet)
    except RemoteError:
        return packet, 0
    begin = ip.upper_layer(packet)[1] + mask.at
    end = begin + len(mask.bits)
    if end > ip.total_length(packet):
        return packet, begin
    changed = bytes(a ^ b for a, b in zip(packet[begin:end], mask.bits, strict=True))
    return packet[:begin] + changed + packet[end:], begin


def _contents(packet: bytes) -> tuple[int, int, tuple[int, int] | None]:
    """Where the contents begin and end; and where what is summed up begins, and its checksum, if there is one."""
    try:
        ip.check(packet)
    except RemoteError:
        return 0, len(packet), None  # nothing is what it should be, so all of it is contents
    protocol, start = ip.upper_layer(packet)
    end = ip.total_length(packet)
    layout = _SUMMED.get(protocol)
    if layout is None or ip.fragment_offset(packet) or end - start < layout.length:
        return (start if start < end else 0), end, None
    field = start + layout.checksum
    is_summed = protocol != IpProtocol.UDP or any(packet[field : field + 2])  # UDP's may be left out
    begin = start + layout.length
    return (begin if begin < end else start), end, (start, field) if is_summed else None


def _mend(made: bytearray, field: int, before: bytes, word: int, end: int) -> None:
    """Put the change of a word into the checksum (RFC 1624 3); an odd byte at the end counts as its high half."""
    if word == field:
        return  # the checksum itself was hit
    old, new = (
        int.from_bytes(data[word : min(word + 2, end)].ljust(2, b"\0"), "big") for data in (before, made)
    )
    made[field : field + 2] = update(int.from_bytes(before[field : field + 2], "big"), old, new).to_bytes(
        2, "big"
    )
