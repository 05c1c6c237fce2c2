"""What protection costs in bytes, part by part, counted from the recorded packets."""

from dataclasses import dataclass

from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ah, esp, udp
from ipsecsim.wire.headers import Security, security


@dataclass(slots=True)
class Overhead:
    """All packets that one node sealed for one policy with one protocol. Lengths in bytes, summed."""

    node: str
    policy: str
    protocol: str
    packets: int = 0
    inner: int = 0
    outer_ip: int = 0
    udp: int = 0
    header: int = 0
    iv: int = 0
    flow_padding: int = 0
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
            "header": self.header,
            "IV": self.iv,
            "TFC padding": self.flow_padding,
            "padding": self.padding,
            "pad length, next header": self.trailer,
            "ICV": self.icv,
        }


def overhead(recorder: Recorder) -> list[Overhead]:
    """One row for each node, policy and protocol that sealed packets, in the order of the first packet.

    The wire's size is that of the packet really made, before any fragmentation. Where AH goes around ESP, the
    packet that ESP made is what AH has to carry.
    """
    rows: dict[tuple[str, str, str], Overhead] = {}
    for turn in recorder.all_turns():
        waiting: dict[Security, PacketSealed] = {}
        for record in turn:
            event = record.event
            if isinstance(event, PacketSealed | PacketOriginated):
                made = event.packet if isinstance(event, PacketOriginated) else event.inner
                found = security(made)
                sealed = waiting.pop(found, None) if found is not None else None
                if sealed is not None:
                    key = (record.node, sealed.policy, sealed.protocol)
                    _add(rows.setdefault(key, Overhead(*key)), sealed, made)
            if isinstance(event, PacketSealed):
                waiting[Security.of(event.protocol, event.spi, event.sequence)] = event
    return list(rows.values())


def _add(row: Overhead, sealed: PacketSealed, made: bytes) -> None:
    is_ah = sealed.protocol == "AH"
    # transport mode leaves a packet its own header, and never pads it (RFC 4303 2.7)
    kept = 0 if sealed.mode == "tunnel" else len(sealed.inner) - sealed.carried
    in_udp = udp.HEADER_LENGTH if sealed.in_udp else 0
    row.packets += 1
    row.inner += len(sealed.inner)
    row.wire += len(made)
    row.outer_ip += len(made) - kept - in_udp - sealed.length
    row.udp += in_udp
    row.header += ah.FIXED_LENGTH if is_ah else esp.HEADER_LENGTH
    row.iv += sealed.iv_length
    row.flow_padding += kept + sealed.carried - len(sealed.inner)
    row.padding += sealed.padding
    row.trailer += 0 if is_ah else esp.TRAILER_LENGTH
    row.icv += sealed.icv_length
