"""The audit log: what RFC 4301 9, RFC 4303 4 and RFC 4302 4 want an administrator to find afterwards.

An entry for each packet that a check of IPsec ended, and for each SA that came to its end. It is made from the
recording, so that auditing costs an engine nothing and can be left out.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

from ipsecsim.base.address import unpack
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.events import SaExpired
from ipsecsim.observe.record import Record
from ipsecsim.wire import ip, ipv6
from ipsecsim.wire.headers import security

AUDITED_LAYERS = frozenset(("spd", "sad", "esp", "ah"))
"""The layers of drop reasons that are IPsec's own."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who sent what to whom, when, and why it ended. Fields that the packet does not show are None.

    `sequence` is as it stood on the wire. `flow_label` is that of IPv6.
    """

    at: Instant
    node: str
    reason: str
    clause: str
    protocol: str | None
    spi: int | None
    sequence: int | None
    source: str | None
    destination: str | None
    flow_label: int | None
    detail: str

    def to_json(self) -> str:
        """The entry on one line, its keys always in the same order; time in nanoseconds."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, separators=(",", ":"))


def entries(rows: Iterable[Record]) -> Iterator[AuditEntry]:
    """Every auditable event of a recording, in the order in which they happened."""
    for row in rows:
        event = row.event
        if isinstance(event, PacketDropped) and event.reason.layer in AUDITED_LAYERS:
            yield _of_packet(row, event)
        elif isinstance(event, SaExpired):
            yield AuditEntry(
                row.at,
                row.node,
                "SA_EXPIRED",
                "RFC 4301 4.4.2.1",
                event.protocol,
                event.spi,
                event.sequence,
                unpack(event.source),
                unpack(event.destination),
                None,
                f"{event.direction}bound SA of {event.policy}: its {event.limit} ran out",
            )


def write(rows: Iterable[Record], file: TextIO) -> None:
    """Write the log as JSON lines."""
    for entry in entries(rows):
        file.write(entry.to_json() + "\n")


def _of_packet(row: Record, event: PacketDropped) -> AuditEntry:
    found = security(event.packet)
    source = destination = None
    flow_label = None
    try:
        ip.check(event.packet)
    except RemoteError:
        pass  # not even its IP header can be read: the reason is all there is to tell
    else:
        source, destination = unpack(ip.source(event.packet)), unpack(ip.destination(event.packet))
        if ip.version(event.packet) == 6:
            flow_label = ipv6.flow_label(event.packet)
    return AuditEntry(
        row.at,
        row.node,
        event.reason.name,
        event.reason.clause,
        found.protocol if found else None,
        found.spi if found else None,
        found.sequence if found else None,
        source,
        destination,
        flow_label,
        event.detail,
    )
