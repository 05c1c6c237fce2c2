"""The recording as a pcapng file: an interface a link, nanoseconds, and a comment with each packet's fate.

Format: draft-ietf-opsawg-pcapng. Links carry IP packets without a link header: link type RAW.
"""

from collections.abc import Iterable
from struct import Struct
from typing import BinaryIO

from ipsecsim.ike.events import IkeMessageSent
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.net.events import FrameArrived, FrameDoubled, FrameSent
from ipsecsim.observe.fate import Fate, fates
from ipsecsim.observe.packet_summary import esp_of, summary
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ip
from ipsecsim.wire.headers import headers
from ipsecsim.wire.in_udp import ike_of

LINKTYPE_RAW = 101
NANOSECONDS = bytes([9])  # if_tsresol: 10^-9

SECTION_HEADER, INTERFACE, NAMES, ENHANCED_PACKET = 0x0A0D0D0A, 1, 4, 6
END, COMMENT = 0, 1
APPLICATION = 4
IF_NAME, IF_DESCRIPTION, IF_TSRESOL = 2, 3, 9
NAME_OF_IPV4, NAME_OF_IPV6 = 1, 2

_BLOCK_START = Struct("<II")
_LENGTH = Struct("<I")
_OPTION = Struct("<HH")
_SECTION = Struct("<IHHq")
_INTERFACE = Struct("<HHI")
_PACKET = Struct("<IIIII")

BYTE_ORDER_MAGIC = 0x1A2B3C4D
UNKNOWN_LENGTH = -1

Option = tuple[int, bytes]


def write(recorder: Recorder, file: BinaryIO) -> None:
    """Write every frame that was put onto a link, at the time it was put there; lost ones too."""
    links = _links(recorder)
    numbers = {name: number for number, name in enumerate(links)}
    file.write(
        _block(
            SECTION_HEADER,
            _SECTION.pack(BYTE_ORDER_MAGIC, 1, 0, UNKNOWN_LENGTH),
            [(APPLICATION, b"ipsecsim")],
        )
    )
    for name, ends in links.items():
        description = " - ".join(ends).encode()
        options = [(IF_NAME, name.encode()), (IF_DESCRIPTION, description), (IF_TSRESOL, NANOSECONDS)]
        file.write(_block(INTERFACE, _INTERFACE.pack(LINKTYPE_RAW, 0, 0), options))
    file.write(_block(NAMES, _names(recorder)))
    commentator = _Commentator(recorder)
    for row in recorder.rows:
        commentator.notice(row)
        event = row.event
        if isinstance(event, FrameSent):
            high, low = divmod(row.at, 1 << 32)
            size = len(event.packet)
            body = _PACKET.pack(numbers[event.link], high, low, size, size) + _padded(event.packet)
            file.write(_block(ENHANCED_PACKET, body, [(COMMENT, commentator.comment(row, event).encode())]))


class _Commentator:
    """Knows what is inside each ESP packet and IKE message, once it has been shown the rows before."""

    def __init__(self, recorder: Recorder) -> None:
        self._fates = fates(recorder)
        self._sealed: dict[tuple[int, int], str] = {}
        self._payloads: dict[tuple[bytes, bool, int], str] = {}

    def notice(self, row: Record) -> None:
        event = row.event
        if isinstance(event, PacketSealed):
            # the packet shows the low half of an extended sequence number
            self._sealed[event.spi, event.sequence & 0xFFFF_FFFF] = summary(event.inner)
        elif isinstance(event, IkeMessageSent):
            key = (event.spi_i, event.is_response, event.message_id)
            self._payloads[key] = ", ".join(event.payloads)

    def comment(self, row: Record, sent: FrameSent) -> str:
        """One sentence: what it is, what is inside, what became of it."""
        fate = self._fates[sent.frame]
        what = f"{summary(sent.packet)}{self._inside(sent.packet)}"
        return f"Turn {row.turn.number}: {row.node} sends {what}; {_end(fate)}."

    def _inside(self, packet: bytes) -> str:
        esp = esp_of(packet)
        if esp is not None:
            inner = self._sealed.get(esp)
            return "" if inner is None else f" (inside: {inner})"
        header = ike_of(packet)
        if header is None:
            return ""
        payloads = self._payloads.get((header.spi_i, header.is_response, header.message_id))
        return f" ({payloads})" if payloads else ""


def _end(fate: Fate) -> str:
    if not fate.turn:
        return f"it was {fate.words}"
    return f"in turn {fate.turn} it reached {fate.node} and was {fate.words}"


def _links(recorder: Recorder) -> dict[str, list[str]]:
    """Every link that carried something, with those of its ends that took part."""
    links: dict[str, list[str]] = {}
    for row in recorder.rows:
        if isinstance(row.event, FrameSent | FrameArrived):
            ends = links.setdefault(row.event.link, [])
            end = f"{row.node}:{row.event.interface}"
            if end not in ends:
                ends.append(end)
    return links


def _names(recorder: Recorder) -> bytes:
    """Node names by address: whoever got a packet for a next hop has that address, and so has its maker."""
    owners: dict[bytes, str] = {}
    next_hops: dict[int, bytes] = {}
    for row in recorder.rows:
        event = row.event
        if isinstance(event, FrameSent):
            next_hops[event.frame] = event.next_hop
        elif isinstance(event, FrameDoubled):
            next_hops[event.frame] = next_hops[event.original]
        elif isinstance(event, FrameArrived):
            owners.setdefault(next_hops[event.frame], row.node)
        elif isinstance(event, PacketOriginated):
            made = headers(event.packet)[0]
            if not made.fault:
                owners.setdefault(ip.source(event.packet), row.node)
    records = [
        _option(NAME_OF_IPV4 if len(address) == 4 else NAME_OF_IPV6, address + name.encode() + b"\0")
        for address, name in owners.items()
    ]
    return b"".join(records) + _OPTION.pack(END, 0)


def _block(kind: int, body: bytes, options: Iterable[Option] = ()) -> bytes:
    """A block: type, length, body, options, length once more. All in little-endian order."""
    tail = b"".join(_option(code, value) for code, value in options)
    if tail:
        tail += _OPTION.pack(END, 0)
    length = _BLOCK_START.size + len(body) + len(tail) + _LENGTH.size
    return _BLOCK_START.pack(kind, length) + body + tail + _LENGTH.pack(length)


def _option(code: int, value: bytes) -> bytes:
    return _OPTION.pack(code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
