"""In which phase a TCP connection is, as far as somebody in the middle can tell (RFC 5382 5).

ACKs both ways make it established, a FIN both ways closes it. A RST changes nothing: in the middle nobody knows
whether it lies within the window, and who is outside must not end what lives.
"""

from dataclasses import dataclass

from ipsecsim.stack.nat.rewriting import End
from ipsecsim.wire import ipv4

FIN, SYN, ACK = 0x01, 0x02, 0x10
_FLAGS_AT = 13


@dataclass(slots=True)
class Connection:
    """What was seen of it, by the endpoint inside as source or as destination."""

    acknowledged: frozenset[End] = frozenset()
    finished: frozenset[End] = frozenset()

    def saw(self, flags: int, inside: End) -> None:
        """A segment passed; `inside` says which of its endpoints is the one inside."""
        if flags & SYN and len(self.finished) == len(End):
            self.acknowledged = self.finished = frozenset()  # the same endpoints begin anew
        if flags & ACK:
            self.acknowledged |= {inside}
        if flags & FIN:
            self.finished |= {inside}

    @property
    def is_established(self) -> bool:
        """May it be idle for long?"""
        return len(self.acknowledged) == len(End) and len(self.finished) < len(End)


def flags_of(packet: bytes) -> int:
    """The control bits of a TCP segment; 0 of one that is cut off."""
    at = ipv4.header_length(packet) + _FLAGS_AT
    return packet[at] if len(packet) > at else 0
