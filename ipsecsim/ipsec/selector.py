"""Selectors: which traffic a policy or an SA speaks of (RFC 4301 4.4.1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecsim.base.address import Prefix, unpack
from ipsecsim.wire import ip, ipv6
from ipsecsim.wire.numbers import WITH_PORTS, IpProtocol, protocol_name

ANY_PROTOCOL = 0
LAST_PORT = 0xFFFF
ANY_PORT = (0, LAST_PORT)
OPAQUE_PORT = (LAST_PORT, 0)
"""Only packets whose ports cannot be seen; written as RFC 7296 3.13.1 writes it."""

_ICMP = frozenset((IpProtocol.ICMP, IpProtocol.ICMPV6))
_IPV4_PLAIN = 0x45


@dataclass(frozen=True, slots=True)
class Flow:
    """What of a packet the selectors look at. Ports are None where the packet shows none.

    For ICMP both ports are type * 256 + code, for a mobility header type * 256 (RFC 4301 4.4.1.1).
    `is_later_fragment`: the ports are elsewhere, in the first fragment.
    """

    source: bytes
    destination: bytes
    protocol: int
    source_port: int | None
    destination_port: int | None
    is_later_fragment: bool = False

    def backwards(self) -> "Flow":
        """The flow of the packets that answer."""
        return Flow(
            self.destination,
            self.source,
            self.protocol,
            self.destination_port,
            self.source_port,
            self.is_later_fragment,
        )

    def with_ports_of(self, first: "Flow") -> "Flow":
        """A later fragment's flow, with what only its first fragment shows."""
        return Flow(self.source, self.destination, first.protocol, first.source_port, first.destination_port)

    @property
    def is_protocol_hidden(self) -> bool:
        """Is even the protocol elsewhere? In IPv6 an extension header may begin what was cut (RFC 4301 7)."""
        return self.is_later_fragment and len(self.source) == 16 and self.protocol in ipv6.EXTENSIONS

    def __str__(self) -> str:
        ports = ""
        if self.is_later_fragment:
            ports = " later fragment"
        elif self.protocol in _ICMP and self.source_port is not None:
            ports = f" type {self.source_port >> 8} code {self.source_port & 0xFF}"
        elif self.source_port is not None:
            ports = f" {self.source_port} > {self.destination_port}"
        return f"{unpack(self.source)} > {unpack(self.destination)} {protocol_name(self.protocol)}{ports}"


def flow_of(packet: bytes) -> Flow:
    """Read the selectors of an IP packet whose header was checked before."""
    protocol, at = ip.upper_layer(packet)
    is_later = ip.fragment_offset(packet) > 0
    ports: tuple[int | None, int | None] = (None, None)
    if not is_later:
        ports = _ports(packet, protocol, at)
    return Flow(ip.source(packet), ip.destination(packet), protocol, *ports, is_later)


def _ports(packet: bytes, protocol: int, at: int) -> tuple[int | None, int | None]:
    end = ip.total_length(packet)
    if protocol in WITH_PORTS and end >= at + 4:
        return packet[at] << 8 | packet[at + 1], packet[at + 2] << 8 | packet[at + 3]
    if protocol in _ICMP and end >= at + 2:
        type_and_code = packet[at] << 8 | packet[at + 1]
        return type_and_code, type_and_code
    if protocol == IpProtocol.MOBILITY and end >= at + 3:
        return packet[at + 2] << 8, packet[at + 2] << 8
    return None, None


def flow_key(packet: bytes) -> bytes | None:
    """The bytes that decide a packet's flow: equal keys mean equal flows.

    None for packets that need a closer look: with options or extension headers, fragments, or too short for ports.
    """
    if packet[0] == _IPV4_PLAIN:
        if packet[6] & 0x3F or packet[7]:
            return None
        protocol = packet[9]
        if protocol in WITH_PORTS:
            return packet[9:10] + packet[12:24] if len(packet) >= 24 else None
        if protocol in _ICMP:
            return packet[9:10] + packet[12:22] if len(packet) >= 22 else None
        return packet[9:10] + packet[12:20]
    if packet[0] >> 4 == 6:
        protocol = packet[6]
        if protocol in WITH_PORTS:
            return packet[6:7] + packet[8:44] if len(packet) >= 44 else None
        if protocol == IpProtocol.ICMPV6:
            return packet[6:7] + packet[8:42] if len(packet) >= 42 else None
    return None


@dataclass(frozen=True, slots=True)
class Selector:
    """One row: address ranges, protocol and port ranges of both ends, seen from the node that holds it.

    `protocol` 0 means any. ANY_PORT also matches packets without ports, OPAQUE_PORT only those. For ICMP both port
    ranges are of type * 256 + code, compared as one number (RFC 4301 4.4.1.1).
    """

    local: tuple[bytes, bytes]
    remote: tuple[bytes, bytes]
    protocol: int = ANY_PROTOCOL
    local_ports: tuple[int, int] = ANY_PORT
    remote_ports: tuple[int, int] = ANY_PORT

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
            self.speaks_of(local, remote, protocol)
            and _port_in(local_port, self.local_ports)
            and _port_in(remote_port, self.remote_ports)
        )

    def might_mean_outbound(self, flow: Flow) -> bool:
        """Could a later fragment that leaves belong to a packet that is spoken of? Its ports are not to be seen."""
        return self._might_mean(flow.source, flow.destination, flow)

    def might_mean_inbound(self, flow: Flow) -> bool:
        """The same for a later fragment that arrives."""
        return self._might_mean(flow.destination, flow.source, flow)

    def _might_mean(self, local: bytes, remote: bytes, flow: Flow) -> bool:
        if not flow.is_later_fragment:
            return False
        if flow.is_protocol_hidden:
            return self.protocol != ANY_PROTOCOL and self._lies_between(local, remote)
        return self.names_ports and self.speaks_of(local, remote, flow.protocol)

    def speaks_of(self, local: bytes, remote: bytes, protocol: int) -> bool:
        """Do addresses and protocol fit, whatever the ports?"""
        return self.protocol in (ANY_PROTOCOL, protocol) and self._lies_between(local, remote)

    def _lies_between(self, local: bytes, remote: bytes) -> bool:
        return (
            len(local) == len(self.local[0])
            and self.local[0] <= local <= self.local[1]
            and self.remote[0] <= remote <= self.remote[1]
        )

    def overlaps(self, other: "Selector") -> bool:
        """Is there a packet of which both speak?"""
        return (
            (self.protocol == other.protocol or ANY_PROTOCOL in (self.protocol, other.protocol))
            and _meet(self.local, other.local)
            and _meet(self.remote, other.remote)
            and _ports_meet(self.local_ports, other.local_ports)
            and _ports_meet(self.remote_ports, other.remote_ports)
        )

    def is_within(self, other: "Selector") -> bool:
        """Does the other row speak of every packet of which this one speaks?"""
        return (
            other.protocol in (ANY_PROTOCOL, self.protocol)
            and _lies_in(self.local, other.local)
            and _lies_in(self.remote, other.remote)
            and _ports_lie_in(self.local_ports, other.local_ports)
            and _ports_lie_in(self.remote_ports, other.remote_ports)
        )

    @property
    def names_ports(self) -> bool:
        """Does it take the values of ports to tell? "Non-trivial" in the words of RFC 4301 7."""
        return any(ports not in (ANY_PORT, OPAQUE_PORT) for ports in (self.local_ports, self.remote_ports))

    @property
    def wants_no_ports(self) -> bool:
        """Is it for packets whose ports are hidden, above all for later fragments (RFC 4301 7.2)?"""
        return OPAQUE_PORT in (self.local_ports, self.remote_ports)

    def __str__(self) -> str:
        words = [f"{_range(self.local)} === {_range(self.remote)}"]
        if self.protocol:
            words.append(protocol_name(self.protocol))
        for end, ports in (("local", self.local_ports), ("remote", self.remote_ports)):
            if ports != ANY_PORT:
                words.append(_ports_text(end, ports, self.protocol))
        return ", ".join(words)


def any_matches_outbound(selectors: Sequence[Selector], flow: Flow) -> bool:
    """Is the leaving packet inside one of the rows?"""
    return any(selector.matches_outbound(flow) for selector in selectors)


def any_matches_inbound(selectors: Sequence[Selector], flow: Flow) -> bool:
    """Is the arriving packet inside one of the rows?"""
    return any(selector.matches_inbound(flow) for selector in selectors)


def _port_in(port: int | None, allowed: tuple[int, int]) -> bool:
    if port is None:
        return allowed in (ANY_PORT, OPAQUE_PORT)
    return allowed[0] <= port <= allowed[1]


Range = tuple[bytes, bytes]
"""First and last address, packed."""


def _meet(one: Range, other: Range) -> bool:
    return len(one[0]) == len(other[0]) and one[0] <= other[1] and other[0] <= one[1]


def _lies_in(inner: Range, outer: Range) -> bool:
    return len(inner[0]) == len(outer[0]) and outer[0] <= inner[0] and inner[1] <= outer[1]


def _ports_meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    if OPAQUE_PORT in (one, other):  # a packet without ports
        return {one, other} <= {ANY_PORT, OPAQUE_PORT}
    return one[0] <= other[1] and other[0] <= one[1]


def _ports_lie_in(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
    if OPAQUE_PORT in (inner, outer):
        return inner == outer or outer == ANY_PORT
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _ports_text(end: str, ports: tuple[int, int], protocol: int) -> str:
    if ports == OPAQUE_PORT:
        return f"{end} port opaque"
    if protocol in _ICMP:
        first, last = (f"{value >> 8}/{value & 0xFF}" for value in ports)
        return f"type/code {first}" if first == last else f"type/code {first} to {last}"
    return f"{end} port {ports[0]}" if ports[0] == ports[1] else f"{end} ports {ports[0]}-{ports[1]}"


def _range(addresses: tuple[bytes, bytes]) -> str:
    """A prefix where the range is one, else 'first-last'."""
    first, last = (int.from_bytes(end, "big") for end in addresses)
    size = last - first + 1
    if size & (size - 1) == 0 and first % size == 0:
        length = 8 * len(addresses[0]) - (size.bit_length() - 1)
        return f"{unpack(addresses[0])}/{length}"
    return f"{unpack(addresses[0])}-{unpack(addresses[1])}"
