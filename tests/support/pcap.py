"""Reads the packets of a classic pcap file. Every length is checked: recordings may be damaged on purpose."""

from dataclasses import dataclass
from pathlib import Path
from struct import Struct

MAGICS = {
    bytes.fromhex("d4c3b2a1"): "<",
    bytes.fromhex("a1b2c3d4"): ">",
    bytes.fromhex("4d3cb2a1"): "<",
    bytes.fromhex("a1b23c4d"): ">",
}
FILE_HEADER_LENGTH = 24
ETHERNET, NULL, RAW = 1, 0, 101
ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD


class BadPcapError(ValueError):
    """The file is no pcap file, or ends in the middle of a packet."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One recorded packet, counted from 1. `packet` starts at the IP header; empty when it is not IP."""

    number: int
    packet: bytes
    frame: bytes

    @property
    def version(self) -> int:
        """4, 6, or 0 when it is not IP."""
        return self.packet[0] >> 4 if self.packet else 0


def read_pcap(path: Path) -> list[Frame]:
    """All frames of the file. Raises BadPcapError."""
    data = path.read_bytes()
    order = MAGICS.get(data[:4])
    if order is None or len(data) < FILE_HEADER_LENGTH:
        raise BadPcapError(f"{path.name}: no pcap file")
    (link_type,) = Struct(order + "I").unpack_from(data, 20)
    record = Struct(order + "IIII")
    frames: list[Frame] = []
    at = FILE_HEADER_LENGTH
    while at < len(data):
        if at + record.size > len(data):
            raise BadPcapError(f"{path.name}: ends in a record header")
        _seconds, _fraction, captured, original = record.unpack_from(data, at)
        at += record.size
        if captured != original or at + captured > len(data):
            raise BadPcapError(f"{path.name}: packet {len(frames) + 1} is cut short")
        frame = data[at : at + captured]
        frames.append(Frame(len(frames) + 1, ip_packet(frame, link_type), frame))
        at += captured
    return frames


def ip_packet(frame: bytes, link_type: int) -> bytes:
    """The IP packet in a frame without the link's padding; b"" when there is none. Raises BadPcapError."""
    if link_type == ETHERNET:
        ethertype = int.from_bytes(frame[12:14], "big")
        packet = frame[14:] if ethertype in (ETHERTYPE_IPV4, ETHERTYPE_IPV6) else b""
    elif link_type == NULL:
        packet = frame[4:]
    elif link_type == RAW:
        packet = frame
    else:
        raise BadPcapError(f"link type {link_type} is not known here")
    if len(packet) >= 4 and packet[0] >> 4 == 4:
        return packet[: int.from_bytes(packet[2:4], "big")]
    if len(packet) >= 6 and packet[0] >> 4 == 6:
        return packet[: 40 + int.from_bytes(packet[4:6], "big")]
    return packet
