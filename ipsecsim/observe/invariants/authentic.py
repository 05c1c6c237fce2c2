"""What comes out of an SA went into it, and comes out once, whatever somebody on the way has done (RFC 4303 3.4).

An SA that does not look for replays, or has no ICV, promises less, and is held to no more.
"""

from collections.abc import Iterator

from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import PacketOpened, PacketSealed, SaInstalled
from ipsecsim.observe.invariants.violation import Violation
from ipsecsim.observe.recorder import Recorder
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol

_CHECKSUM: dict[int, int] = {IpProtocol.UDP: 6, IpProtocol.TCP: 16, IpProtocol.ICMPV6: 2}
"""Where it stands: behind a NAT the receiver mends it (RFC 3948 3.1.2)."""


def check_authentic(recorder: Recorder) -> Iterator[Violation]:
    """Every packet that was opened and that nobody had sealed, or that had been opened before."""
    sealed: dict[tuple[str, int, int], list[tuple[str, bytes]]] = {}
    opened: dict[tuple[str, str, int], set[int]] = {}
    for row in recorder.rows:
        event = row.event
        if isinstance(event, SaInstalled) and event.direction == Direction.INBOUND.value:
            opened.pop(
                (row.node, event.protocol, event.spi), None
            )  # a new SA, even where its keys are old ones
        elif isinstance(event, PacketSealed):
            key = (event.protocol, event.spi, event.sequence)
            sealed.setdefault(key, []).append((row.node, _contents(event.inner)))
        elif isinstance(event, PacketOpened):
            name = f"packet {event.sequence} of {event.protocol} SA {event.spi:08x}"
            before = opened.setdefault((row.node, event.protocol, event.spi), set())
            if event.window_top is not None and event.sequence in before:
                yield Violation(row.turn.number, row.node, f"took {name} in a second time")
            before.add(event.sequence)
            makers = sealed.get((event.protocol, event.spi, event.sequence), ())
            wanted = _contents(event.inner)
            is_known = any(maker != row.node and contents == wanted for maker, contents in makers)
            if event.is_authenticated and not is_known:
                yield Violation(row.turn.number, row.node, f"took {name} in, and nobody sealed it so")


def _contents(packet: bytes) -> bytes:
    """What is inside the IP header, which transport mode leaves outside; a checksum blanked."""
    protocol, start = ip.upper_layer(packet)
    contents = bytearray(packet[start : ip.total_length(packet)])
    at = _CHECKSUM.get(protocol)
    if at is not None and not ip.fragment_offset(packet):
        contents[at : at + 2] = bytes(len(contents[at : at + 2]))
    return bytes([protocol]) + bytes(contents)
