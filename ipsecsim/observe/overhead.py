"""What protection costs in bytes, part by part, counted from the recorded packets."""

from dataclasses import dataclass

from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import esp, ipv4, udp


@dataclass(slots=True)
class Overhead:
    """All packets that one node sealed for one policy. Lengths in bytes, summed."""

    node: str
    policy: str
    packets: int = 0
    inner: int = 0
    outer_ip: int = 0
    udp: int = 0
    esp_header: int = 0
    iv: int = 0
    padding: int = 0
    trailer: int = 0
    icv: int = 0
    wire: int = 0

    @property
    def added(self) -> int:
        """What the packets grew by."""
        return self.wire - self.inner

    @property
    def percent(self) -> float:
        """The growth in percent of what was to be carried."""
        return 100 * self.added / self.inner if self.inner else 0.0

    @property
    def parts(self) -> dict[str, int]:
        """Where the growth comes from; the parts sum to `added`."""
        return {
            "outer IP": self.outer_ip,
            "UDP": self.udp,
            "ESP header": self.esp_header,
            "IV": self.iv,
            "padding": self.padding,
            "pad length, next header": self.trailer,
            "ICV": self.icv,
        }


def overhead(recorder: Recorder) -> list[Overhead]:
    """One row for each node and policy that sealed packets, in the order of the first packet.

    The wire's size is that of the packet really made, before any fragmentation.
    """
    rows: dict[tuple[str, str], Overhead] = {}
    for turn in recorder.all_turns():
        sealed: PacketSealed | None = None
        for record in turn:
            event = record.event
            if isinstance(event, PacketSealed):
                sealed = event
            elif isinstance(event, PacketOriginated) and sealed is not None:
                row = rows.setdefault((record.node, sealed.policy), Overhead(record.node, sealed.policy))
                _add(row, sealed, event.packet)
                sealed = None
    return list(rows.values())


def _add(row: Overhead, sealed: PacketSealed, outer: bytes) -> None:
    row.packets += 1
    row.inner += len(sealed.inner)
    row.wire += len(outer)
    row.outer_ip += ipv4.header_length(outer)
    row.udp += udp.HEADER_LENGTH if sealed.in_udp else 0
    row.esp_header += esp.HEADER_LENGTH
    row.iv += sealed.iv_length
    row.padding += sealed.padding
    row.trailer += esp.TRAILER_LENGTH
    row.icv += sealed.icv_length
