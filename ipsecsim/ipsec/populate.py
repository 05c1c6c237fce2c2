"""One SA for each value: selectors populated from the packet that asks for an SA (RFC 4301 4.4.1, "PFP")."""

from collections.abc import Set
from dataclasses import replace
from enum import Enum

from ipsecsim.ipsec.selector import Flow, Selector


class Part(Enum):
    """What of a rule may be taken from the packet instead."""

    LOCAL_ADDRESS = "local address"
    REMOTE_ADDRESS = "remote address"
    PROTOCOL = "next layer protocol"
    LOCAL_PORT = "local port"
    REMOTE_PORT = "remote port"


ADDRESSES = frozenset((Part.LOCAL_ADDRESS, Part.REMOTE_ADDRESS))


def populate(row: Selector, flow: Flow, parts: Set[Part]) -> Selector:
    """The row that the SA for a leaving packet is to have (RFC 4301 4.4.2.2).

    What the packet does not show, such as the ports of an OSPF packet, stays as it is in the row.
    """
    changes: dict[str, object] = {}
    if Part.LOCAL_ADDRESS in parts:
        changes["local"] = (flow.source, flow.source)
    if Part.REMOTE_ADDRESS in parts:
        changes["remote"] = (flow.destination, flow.destination)
    if Part.PROTOCOL in parts:
        changes["protocol"] = flow.protocol
    if Part.LOCAL_PORT in parts and flow.source_port is not None:
        changes["local_ports"] = (flow.source_port, flow.source_port)
    if Part.REMOTE_PORT in parts and flow.destination_port is not None:
        changes["remote_ports"] = (flow.destination_port, flow.destination_port)
    return replace(row, **changes)  # type: ignore[arg-type]
