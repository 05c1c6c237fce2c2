"""What a firewall on the way does to a tunnel."""

from collections.abc import Iterator

from ipsecsim.base.address import unpack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.wire import ip
from ipsecsim.wire.headers import first, ports
from ipsecsim.wire.layers import layers
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol

_FIREWALL = (DropReason.FW_RULE, DropReason.FW_STATE)


def esp_filtered_on_path(case: Case) -> Iterator[Finding]:
    """ESP was dropped on the way: there were keys for it, so the tunnel looked well to both ends."""
    for (node, way, ends), rows in _dropped(case, "esp").items():
        sentence = (
            f"{node} drops ESP{' in UDP' if way == 'udp' else ''} from {ends}: {count(len(rows), 'packet')}; "
            "to both ends the tunnel is up"
        )
        yield Finding(Diagnosis.ESP_FILTERED_ON_PATH, tuple(rows), sentence)


def ike_filtered_on_path(case: Case) -> Iterator[Finding]:
    """IKE was dropped on the way, from the start or only after it changed to port 4500."""
    for (node, way, ends), rows in _dropped(case, "ike").items():
        sentence = f"{node} drops IKE on UDP port {way} from {ends}: {count(len(rows), 'message')}"
        if way == str(NAT_T_PORT):
            sentence += "; on port 500 nobody talks any more"
        yield Finding(Diagnosis.IKE_FILTERED_ON_PATH, tuple(rows), sentence)


def _dropped(case: Case, layer: str) -> dict[tuple[str, str, str], list[Record]]:
    """What firewalls dropped of a layer: by the node, how it travelled, and between whom."""
    found: dict[tuple[str, str, str], list[Record]] = {}
    for row, event in case.drops(*_FIREWALL):
        seen = layers(event.packet)
        if layer not in seen:
            continue
        source, destination = (unpack(address) for address in ip.addresses(event.packet))
        way = _port(event.packet) if layer == "ike" else seen[1]
        found.setdefault((row.node, way, f"{source} to {destination}"), []).append(row)
    return found


def _port(packet: bytes) -> str:
    """The UDP port on which a message of IKE was sent to."""
    header = first(packet, IpProtocol.UDP)
    return "" if header is None else str(ports(packet[header.start : header.end])[1])
