"""The recording as a pcapng file: an interface a link, nanoseconds, and a comment with each packet's fate.

Format: draft-ietf-opsawg-pcapng. Links carry IP packets without a link header: link type RAW.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import BinaryIO

from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import Told
from ipsecsim.base.visible import visible
from ipsecsim.ike.events import IkeMessageSent
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.net.events import FRAME_SENT, FrameArrived, FrameDoubled, FrameSent
from ipsecsim.net.turn import ARRIVAL, TURN
from ipsecsim.observe.lives.fate import Fate, fates
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.packets.host_capture import Sight
from ipsecsim.observe.packets.packet_summary import esp_of, summary
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ip
from ipsecsim.wire.headers import headers
from ipsecsim.wire.in_udp import ike_of

LINKTYPE_RAW = 101
NANOSECONDS = bytes([9])  # if_tsresol: 10^-9

SECTION_HEADER, INTERFACE, NAMES, ENHANCED_PACKET = 0x0A0D0D0A, 1, 4, 6
END, COMMENT, FLAGS = 0, 1, 2
APPLICATION = 4
IF_NAME, IF_DESCRIPTION, IF_TSRESOL = 2, 3, 9
NAME_OF_IPV4, NAME_OF_IPV6 = 1, 2

_DIRECTIONS = {"in": 1, "out": 2}  # the low bits of the flags

_BLOCK_START = Struct("<II")
_LENGTH = Struct("<I")
_OPTION = Struct("<HH")
_SECTION = Struct("<IHHq")
_INTERFACE = Struct("<HHI")
_PACKET = Struct("<IIIII")
_FRAME = Struct("<IIIIIII")  # _BLOCK_START and _PACKET in one
_FRAME_LENGTH = _FRAME.size + _LENGTH.size
_ZEROS = (b"", bytes(1), bytes(2), bytes(3))

_LONGEST = 60_000  # bytes of a text; an address may stand before a name

BYTE_ORDER_MAGIC = 0x1A2B3C4D
UNKNOWN_LENGTH = -1

Option = tuple[int, bytes]


def write(recorder: Recorder, file: BinaryIO, say: Callable[[int], str] | None = None) -> None:
    """Write every frame that was put onto a link, at the time it was put there; lost ones too.

    `say` has the sentence on a turn: comments then end with that of the turn in which the packet was sent, and
    of the one in which it was dropped.
    """
    links = _links(recorder)
    numbers = {name: number for number, name in enumerate(links)}
    file.write(_section())
    for name, ends in links.items():
        file.write(_interface(name, " - ".join(ends)))
    file.write(_block(NAMES, _names(recorder)))
    commentator = _Commentator(recorder, say)
    for row in recorder.rows:
        commentator.notice(row)
        event = row.event
        if isinstance(event, FrameSent):
            options = [(COMMENT, _text(commentator.comment(row, event)))]
            file.write(_enhanced_packet(numbers[event.link], row.at, event.packet, options))


def write_seen(seen: Iterable[Sight], node: str, file: BinaryIO) -> None:
    """Write a capture on a node, an interface a link, each packet with its direction; what was opened says so."""
    numbers: dict[str, int] = {}
    file.write(_section())
    for each in seen:
        if each.link not in numbers:
            numbers[each.link] = len(numbers)
            file.write(_interface(each.link, f"{node} on {each.link}"))
        options = [(FLAGS, _LENGTH.pack(_DIRECTIONS[each.way]))]
        if each.opened_from:
            so = "" if each.was_on_link else f"; {each.link} did not carry it so"
            told = f"Turn {each.turn}: {node} opened it from packet {each.opened_from}{so}."
            options.append((COMMENT, _text(told)))
        file.write(_enhanced_packet(numbers[each.link], each.at, each.packet, options))


class Capture:
    """An observer that writes every frame while the run goes on, and keeps nothing: no comments, no names.

    `write` takes bytes; it is called once for each frame.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._at: Instant = 0
        self._numbers: dict[str, int] = {}
        write(_section())

    def tell(self, told: Told) -> None:
        """Take what a simulator tells: the header of a turn has the time, and frames are what is written."""
        if not isinstance(told, tuple):
            return
        if told[0] == FRAME_SENT:
            _, _, link, _, _, packet = told
            number = self._numbers.get(link)
            if number is None:
                number = self._numbers[link] = len(self._numbers)
                self._write(_interface(link, link))
            size = len(packet)
            padding = -size % 4
            length = _FRAME_LENGTH + size + padding
            at = self._at
            start = _FRAME.pack(ENHANCED_PACKET, length, number, at >> 32, at & 0xFFFF_FFFF, size, size)
            self._write(b"".join((start, packet, _ZEROS[padding], _LENGTH.pack(length))))
        elif told[0] in (TURN, ARRIVAL):
            self._at = told[2]


class _Commentator:
    """Knows what is inside each ESP packet and IKE message, once it has been shown the rows before."""

    def __init__(self, recorder: Recorder, say: Callable[[int], str] | None) -> None:
        self._say = say
        self._fates = fates(Lives(recorder))
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
        told = f"Turn {row.turn.number}: {row.node} sends {what}; {_end(fate)}."
        if self._say is None:
            return told
        turns = [row.turn.number, *([fate.turn] if fate.drop is not None and fate.turn else [])]
        return " ".join([told, *map(self._say, turns)])

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


def _section() -> bytes:
    header = _SECTION.pack(BYTE_ORDER_MAGIC, 1, 0, UNKNOWN_LENGTH)
    return _block(SECTION_HEADER, header, [(APPLICATION, b"ipsecsim")])


def _enhanced_packet(interface: int, at: Instant, packet: bytes, options: Iterable[Option]) -> bytes:
    high, low = divmod(at, 1 << 32)
    body = _PACKET.pack(interface, high, low, len(packet), len(packet)) + _padded(packet)
    return _block(ENHANCED_PACKET, body, options)


def _interface(link: str, description: str) -> bytes:
    options = [
        (IF_NAME, _text(link)),
        (IF_DESCRIPTION, _text(description)),
        (IF_TSRESOL, NANOSECONDS),
    ]
    return _block(INTERFACE, _INTERFACE.pack(LINKTYPE_RAW, 0, 0), options)


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
        _option(NAME_OF_IPV4 if len(address) == 4 else NAME_OF_IPV6, address + _text(name) + b"\0")
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


def _text(words: str) -> bytes:
    """Words fit for an option: UTF-8, nothing invisible, and no longer than its 16 bits of length may say."""
    return visible(words[:_LONGEST]).encode()[:_LONGEST].decode(errors="ignore").encode()


def _option(code: int, value: bytes) -> bytes:
    return _OPTION.pack(code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
