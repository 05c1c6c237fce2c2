"""The packets of a run as the stepper draws them: one entry for each packet and each form that its bytes had."""

from base64 import b64encode
from typing import Any

from ipsecsim.experiment.run import Run
from ipsecsim.observe.packets.xray import Xray, xray
from ipsecsim.observe.turn_story import naming
from ipsecsim.views.stepper.layouts import layout
from ipsecsim.views.stepper.strings import Interned
from ipsecsim.wire.headers import first, headers
from ipsecsim.wire.in_udp import ike_start
from ipsecsim.wire.numbers import IpProtocol

_BROKEN = "the seal is broken"


class Images:
    """Call it with a packet's number and its bytes: it answers with the index of the entry in `all`."""

    def __init__(self, run: Run, strings: Interned[str]) -> None:
        self.all: list[dict[str, Any]] = []
        self.layouts: Interned[Any] = Interned()
        self._run = run
        self._strings = strings
        self._index: dict[tuple[int, bytes], int] = {}

    def __call__(self, number: int, packet: bytes, turn: int) -> int:
        """The entry of a packet as it was in a turn."""
        found = self._index.get((number, packet))
        if found is None:
            found = self._index[number, packet] = len(self.all)
            self.all.append(self._entry(found, number, packet))
        return found

    def _entry(self, index: int, number: int, packet: bytes) -> dict[str, Any]:
        seen = xray(packet, self._run.keys)
        entry: dict[str, Any] = {
            "id": index,
            "number": number,
            "name": self._strings(naming.name(packet)),
            "size": len(packet),
            "bytes": b64encode(packet).decode(),
        }
        if seen.plain != packet:
            entry["plain"] = b64encode(seen.plain).decode()
        entry |= layout(seen, self._strings, self.layouts)
        entry["broken"] = any(_BROKEN in field.value for _, field in seen.root.walk())
        entry["readers"] = self._readers(packet, seen)
        return entry

    def _readers(self, packet: bytes, seen: Xray) -> list[str]:
        """The nodes that have the keys for what is hidden in it; none where nothing is."""
        header = first(packet, IpProtocol.ESP)
        nodes: frozenset[str] = frozenset()
        if header is not None:
            nodes = self._run.keys.readers(packet[header.start : header.end])
        elif seen.plain != packet:
            last = headers(packet)[-1]
            segment = packet[last.start : last.end]
            start = ike_start(segment)
            nodes = self._run.keys.ike_readers(segment[start:])
        order = list(self._run.topology.nodes)
        return sorted(nodes, key=order.index)
