"""Selectors: which traffic a policy or an SA speaks of (RFC 4301 4.4.1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.wire.numbers import IpProtocol

ANY_PROTOCOL = 0
LAST_PORT = 0xFFFF

_HAS_PORTS = (IpProtocol.TCP, IpProtocol.UDP)


@dataclass(frozen=True, slots=True)
class Flow:
    """What of a packet the selectors look at. Ports are None where the packet shows none."""

    source: bytes
    destination: bytes
    protocol: int
    source_port: int | None
    destination_port: int | None

    def __str__(self) -> str:
        ports = "" if self.source_port is None else f" {self.source_port} > {self.destination_port}"
        return f"{unpack(self.source)} > {unpack(self.destination)} protocol {self.protocol}{ports}"


def flow_of(packet: bytes) -> Flow:
    """Read the selectors of an IPv4 packet whose header was checked before."""
    header_length = (packet[0] & 0x0F) * 4
    protocol = packet[9]
    ports: tuple[int | None, int | None] = (None, None)
    is_first = not (packet[6] & 0x1F or packet[7])
    if protocol in _HAS_PORTS and is_first and len(packet) >= header_length + 4:
        ports = (
            int.from_bytes(packet[header_length : header_length + 2], "big"),
            int.from_bytes(packet[header_length + 2 : header_length + 4], "big"),
        )
    return Flow(bytes(packet[12:16]), bytes(packet[16:20]), protocol, *ports)


def flow_key(packet: bytes) -> bytes | None:
    """The bytes that decide a packet's flow: equal keys mean equal flows.

    None for packets that need a closer look: with options, fragments, or too short for ports.
    """
    if packet[0] != 0x45 or packet[6] & 0x3F or packet[7]:
        return None
    if packet[9] in _HAS_PORTS:
        return packet[9:10] + packet[12:24] if len(packet) >= 24 else None
    return packet[9:10] + packet[12:20]


@dataclass(frozen=True, slots=True)
class Selector:
    """One row: address ranges, protocol and port ranges of both ends, seen from the node that holds it.

    `protocol` 0 means any. A port range of 0-65535 means ANY and also matches packets without ports.
    """

    local: tuple[bytes, bytes]
    remote: tuple[bytes, bytes]
    protocol: int = ANY_PROTOCOL
    local_ports: tuple[int, int] = (0, LAST_PORT)
    remote_ports: tuple[int, int] = (0, LAST_PORT)

    @classmethod
    def between(cls, local: Prefix, remote: Prefix, protocol: int = ANY_PROTOCOL) -> "Selector":
        """All traffic between two networks."""
        return cls((local.first, local.last), (remote.first, remote.last), protocol)

    def matches_outbound(self, flow: Flow) -> bool:
        """Would a packet leaving this node be spoken of?"""
        return self._matches(
            flow.source, flow.destination, flow.protocol, flow.source_port, flow.destination_port
        )

    def matches_inbound(self, flow: Flow) -> bool:
        """Would a packet arriving at this node be spoken of? Its destination is our local side."""
        return self._matches(
            flow.destination, flow.source, flow.protocol, flow.destination_port, flow.source_port
        )

    def _matches(
        self, local: bytes, remote: bytes, protocol: int, local_port: int | None, remote_port: int | None
    ) -> bool:
        return (
            self.local[0] <= local <= self.local[1]
            and self.remote[0] <= remote <= self.remote[1]
            and self.protocol in (ANY_PROTOCOL, protocol)
            and _port_in(local_port, self.local_ports)
            and _port_in(remote_port, self.remote_ports)
        )

    def __str__(self) -> str:
        words = [f"{_range(self.local)} === {_range(self.remote)}"]
        if self.protocol:
            words.append(f"protocol {self.protocol}")
        for name, ports in (("local port", self.local_ports), ("remote port", self.remote_ports)):
            if ports != (0, LAST_PORT):
                words.append(
                    f"{name} {ports[0]}" if ports[0] == ports[1] else f"{name}s {ports[0]}-{ports[1]}"
                )
        return ", ".join(words)


def any_matches_outbound(selectors: Sequence[Selector], flow: Flow) -> bool:
    """Is the leaving packet inside one of the rows?"""
    return any(selector.matches_outbound(flow) for selector in selectors)


def any_matches_inbound(selectors: Sequence[Selector], flow: Flow) -> bool:
    """Is the arriving packet inside one of the rows?"""
    return any(selector.matches_inbound(flow) for selector in selectors)


def _port_in(port: int | None, allowed: tuple[int, int]) -> bool:
    if port is None:
        return allowed == (0, LAST_PORT)
    return allowed[0] <= port <= allowed[1]


def _range(addresses: tuple[bytes, bytes]) -> str:
    """A prefix where the range is one, else 'first-last'."""
    first, last = (int.from_bytes(end, "big") for end in addresses)
    size = last - first + 1
    if size & (size - 1) == 0 and first % size == 0:
        length = 8 * len(addresses[0]) - (size.bit_length() - 1)
        return f"{unpack(addresses[0])}/{length}"
    return f"{unpack(addresses[0])}-{unpack(addresses[1])}"
