"""What every packet of an IPsec node must look like, whatever happens around it: SPIs, numbers, IVs, ports.

Only what these nodes make themselves is judged, not what others put onto a link in their name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from ipsecsim.base.address import unpack
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.trace import TraceEvent
from ipsecsim.ipsec.association import LAST_EXTENDED_SEQUENCE, LAST_SEQUENCE, Direction, Mode
from ipsecsim.ipsec.events import PacketSealed, SaInstalled, SaRemoved
from ipsecsim.net.events import FrameArrived
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.invariants.violation import Violation
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import esp, ip, nat_t, udp
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol

LAST_RESERVED_SPI = 255  # RFC 4303 2.1: 0 is for local use, 1 to 255 are for IANA


def check_wire(recorder: Recorder, simulator: Simulator) -> Iterator[Violation]:
    """Every packet that no IPsec node may make."""
    judges = {name: _Judge(node) for name, node in simulator.nodes.items() if isinstance(node, VpnGateway)}
    ivs: set[tuple[bytes, bytes]] = set()
    for row in recorder.rows:
        judge = judges.get(row.node)
        if judge is not None:
            for sentence in chain(judge.notice(row.event), judge.repeated_ivs(ivs)):
                yield Violation(row.turn.number, row.node, sentence)


@dataclass(slots=True)
class _Outbound:
    """An SA that sends: how it came to be, the number it used last, and what it sealed and has yet to send."""

    installed: SaInstalled
    sequence: int
    sealed: dict[int, PacketSealed] = field(default_factory=dict)
    is_removed: bool = False  # what it sealed may still be sent in the same turn


class _Judge:
    """One IPsec node, and what it has done so far."""

    def __init__(self, node: VpnGateway) -> None:
        self._addresses = node.stack.addresses
        self._by_hand = {parameters.spi for parameters in node.manual}
        self._sas: dict[tuple[int, str], _Outbound] = {}  # two peers may choose the same SPI
        self._pairs: set[tuple[bytes, bytes, int, int]] = (
            set()
        )  # of IKE: both addresses and ports, ours first
        self._ivs: list[tuple[bytes, bytes]] = []

    def notice(self, event: TraceEvent) -> Iterator[str]:
        """Look at the node's next event; a sentence for each rule that it breaks."""
        if isinstance(event, SaInstalled) and event.direction == Direction.OUTBOUND.value:
            self._sas[event.spi, event.policy] = _Outbound(event, event.sequence)
        elif isinstance(event, SaRemoved) and event.direction == Direction.OUTBOUND.value:
            gone = self._sas.get((event.spi, event.policy))
            if gone is not None:
                gone.is_removed = True
        elif isinstance(event, PacketSealed):
            yield from self._sealed(event)
        elif isinstance(event, PacketOriginated):
            yield from self._made(event.packet)
        elif isinstance(event, FrameArrived):
            self._learn(event.packet)

    def repeated_ivs(self, seen: set[tuple[bytes, bytes]]) -> Iterator[str]:
        """No IV twice under a key, by whichever node (RFC 4106 3.1, RFC 3602 3)."""
        for each in self._ivs:
            if each in seen:
                yield f"IV {each[1].hex()} was used before under the same key"
            seen.add(each)
        self._ivs.clear()

    # -- sealing ----------------------------------------------------------------------------------

    def _sealed(self, event: PacketSealed) -> Iterator[str]:
        name = f"SPI {event.spi:08x}"
        if event.spi <= LAST_RESERVED_SPI:
            yield f"{name} is reserved (RFC 4303 2.1)"
        sa = self._sas.get((event.spi, event.policy))
        if sa is None or sa.is_removed:
            yield f"sealed for {name}, which is not installed"
            return
        if event.sequence != sa.sequence + 1:
            yield f"{name} has number {event.sequence} after {sa.sequence} (RFC 4303 2.2)"
        if event.sequence > (LAST_EXTENDED_SEQUENCE if sa.installed.extended_sequence else LAST_SEQUENCE):
            yield f"{name} went past its last number (RFC 4303 3.3.3)"
        if sa.installed.mode == Mode.TRANSPORT.value and not ip.is_whole(event.inner):
            yield f"{name} is for transport mode and sealed a fragment (RFC 4301 4.1)"
        sa.sequence = event.sequence
        sa.sealed[event.sequence & LAST_SEQUENCE] = event

    # -- the wire ---------------------------------------------------------------------------------

    def _made(self, packet: bytes) -> Iterator[str]:
        protocol, start = ip.upper_layer(packet)
        if protocol in (IpProtocol.ESP, IpProtocol.AH):
            if not ip.is_whole(packet):
                yield f"a fragment with protocol {protocol} in it was made here (RFC 4303 3.3.4)"
            at = start if protocol == IpProtocol.ESP else start + 4
            yield from self._security(packet, at, is_in_udp=False)
        elif protocol == IpProtocol.UDP and ip.source(packet) in self._addresses:
            yield from self._datagram(packet, start)

    def _security(self, packet: bytes, at: int, *, is_in_udp: bool) -> Iterator[str]:
        """ESP, or AH without its first word, at `at`: it must be what was said to have been sealed."""
        spi, sequence = esp.HEADER.unpack_from(packet, at)
        sa = self._sealer(spi, sequence)
        if sa is None:
            yield f"a packet of SPI {spi:08x} and number {sequence} that nobody sealed"
            return
        event = sa.sealed.pop(sequence)
        if event.in_udp != is_in_udp:
            yield f"SPI {spi:08x} {'is for' if event.in_udp else 'is not for'} UDP encapsulation"
        if event.iv_length:
            begin = at + esp.HEADER_LENGTH
            self._ivs.append((sa.installed.encryption_key, packet[begin : begin + event.iv_length]))

    def _datagram(self, packet: bytes, start: int) -> Iterator[str]:
        source_port, destination_port, payload = udp.parse(packet[start:])
        ports = (source_port, destination_port)
        if len(payload) >= esp.HEADER_LENGTH and self._sealer(*esp.HEADER.unpack_from(payload)):
            yield from self._encapsulated(packet, start, ports)
        elif NAT_T_PORT in ports:
            if payload == nat_t.KEEPALIVE:
                yield from self._same_pair(packet, ports, "a keepalive")
            elif payload[:4] != nat_t.NON_ESP_MARKER or not _is_ike(payload[4:]):
                yield f"neither ESP nor a keepalive nor IKE behind four zero bytes on {_on(ports)}"
            else:
                self._pairs.add((ip.source(packet), ip.destination(packet), *ports))
        elif IKE_PORT in ports and not _is_ike(payload):
            marked = payload[:4] == nat_t.NON_ESP_MARKER and _is_ike(payload[4:])
            what = "four zero bytes before IKE" if marked else "something other than IKE"
            yield f"{what} on {_on(ports)} (RFC 7296 2.23)"

    def _sealer(self, spi: int, sequence: int) -> _Outbound | None:
        """The SA that sealed such a packet and has not sent it yet."""
        return next((sa for (own, _), sa in self._sas.items() if own == spi and sequence in sa.sealed), None)

    def _encapsulated(self, packet: bytes, start: int, ports: tuple[int, int]) -> Iterator[str]:
        if IKE_PORT in ports:
            yield f"ESP in UDP on {_on(ports)} (RFC 7296 2.23)"
        spi, _ = esp.HEADER.unpack_from(packet, start + udp.HEADER_LENGTH)
        if spi not in self._by_hand:  # for those no IKE chose the ports
            yield from self._same_pair(packet, ports, "ESP in UDP")
        if ip.version(packet) == 4 and any(packet[start + 6 : start + 8]):
            yield "ESP in UDP over IPv4 with a UDP checksum (RFC 3948 2.1)"
        yield from self._security(packet, start + udp.HEADER_LENGTH, is_in_udp=True)

    def _same_pair(self, packet: bytes, ports: tuple[int, int], what: str) -> Iterator[str]:
        if (ip.source(packet), ip.destination(packet), *ports) not in self._pairs:
            where = f"{_on(ports)} to {unpack(ip.destination(packet))}"
            yield f"{what} on {where}, where no IKE went before (RFC 3948 2.1)"

    def _learn(self, packet: bytes) -> None:
        """What a peer sends to port 4500 shows where it can be reached: behind a NAT that is news."""
        try:
            ip.check(packet)
            protocol, start = ip.upper_layer(packet)
        except RemoteError:
            return
        if protocol == IpProtocol.UDP and not ip.fragment_offset(packet) and len(packet) >= start + 4:
            port, own_port = (int.from_bytes(packet[at : at + 2], "big") for at in (start, start + 2))
            if own_port == NAT_T_PORT:
                self._pairs.add((ip.destination(packet), ip.source(packet), own_port, port))


def _is_ike(message: bytes) -> bool:
    try:
        header = IkeHeader.parse(message)
    except RemoteError:
        return False
    return header.length == len(message) and any(header.spi_i)


def _on(ports: tuple[int, int]) -> str:
    return f"UDP {ports[0]} > {ports[1]}"
