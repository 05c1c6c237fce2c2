"""The far end of an SA, which has its keys: what it sends for a packet, and anything else under a good seal."""

from random import Random

from ipsecsim.base.errors import RemoteError
from ipsecsim.ipsec.ah import Ah
from ipsecsim.ipsec.association import Direction, Mode, SecurityAssociation
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.transport import TransportForm
from ipsecsim.wire import esp, ip, udp
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from tests.hostile.packets import any_packet
from tests.hostile.packets6 import any_packet_6
from tests.hostile.sa_shapes import OWN, PEER, SPI, Shape

_ROOM = 65_000  # of the largest packet there is, what protection leaves for the one inside


class Peer:
    """Sends to this node. `sequence` is the whole number of the last packet."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.sequence = shape.start
        self.protocol = IpProtocol.AH if shape.protocol == "AH" else IpProtocol.ESP
        parameters = shape.parameters(Direction.OUTBOUND, at_peer=True)
        self._sa = SecurityAssociation.install(parameters, 0, lambda: self.sequence & 0xFFFF)

    def any_inside(self, chance: Random, strangers: dict[int, tuple[bytes, ...]] | None = None) -> bytes:
        """A packet that the SA may carry, of any version that it can; with `strangers`, from and to these too."""
        version = chance.choice(self.shape.versions)
        ends = self.shape.theirs[version], self.shape.ours[version]
        if strangers is not None:
            ends = ends[0] + strangers[version] + ends[1], ends[1] + strangers[version] + ends[0]
        while True:
            if version == 4:
                packet = any_packet(chance, *ends)
            else:
                packet = any_packet_6(chance, chance.choice(ends[0]), chance.choice(ends[1]))
            if len(packet) <= _ROOM and _is_right(packet):
                return packet

    def genuine(self, packet: bytes) -> bytes:
        """What it would send for a packet, with the next number."""
        payload, next_header = self._sa.form.enclose(packet)
        self.sequence += 1
        if isinstance(self._sa.transform, Ah):
            return self._signed(payload, next_header, self.sequence, packet)
        alignment = self._sa.transform.alignment
        return self.sealed(payload + esp.trailer(len(payload), alignment, next_header), self.sequence, packet)

    def enclosed(self, packet: bytes) -> bytes:
        """What of a packet ESP or AH protects."""
        return self._sa.form.enclose(packet)[0]

    def hostile(self, content: bytes, next_header: int, sequence: int, around: bytes) -> bytes:
        """Any content, named by any number, under a good seal. `around` as in `sealed`."""
        if isinstance(self._sa.transform, Ah):
            return self._signed(content, next_header, sequence, around)
        trailer = esp.trailer(len(content), self._sa.transform.alignment, next_header)
        return self.sealed(content + trailer, sequence, around)

    def sealed(self, plaintext: bytes, sequence: int, around: bytes) -> bytes:
        """ESP around a plaintext with all that stands at its end, right or wrong.

        What does not fit the cipher's block is cut off. In transport mode the headers are those of `around`, in
        tunnel mode its traffic class only.
        """
        return self.carried(self.esp_of(plaintext, sequence), around)

    def esp_of(self, plaintext: bytes, sequence: int) -> bytes:
        """From SPI to ICV. Written out here once more: RFC 4303 2.2.1 and A1, RFC 4106 5 for combined ciphers."""
        transform = self._sa.transform
        assert isinstance(transform, Esp)
        seal = transform.protection.seal
        block = transform.protection.alignment
        plaintext = plaintext[: len(plaintext) // block * block]
        high, low = divmod(sequence, 1 << 32)
        front = esp.HEADER.pack(SPI, low)
        if not self.shape.extended:
            return front + seal(front, plaintext)
        if transform.protection.combined:
            return front + seal(front[:4] + sequence.to_bytes(8, "big"), plaintext)
        return front + seal(front, plaintext, behind=high.to_bytes(4, "big"))

    def carried(self, body: bytes, around: bytes) -> bytes:
        """ESP or AH in an IP packet to this node, with UDP between them if the SA has it."""
        source, destination = PEER[self.shape.outer], OWN[self.shape.outer]
        protocol = self.protocol
        if self.shape.in_udp:
            is_ipv6 = self.shape.outer == 6
            body = udp.build(source, destination, NAT_T_PORT, NAT_T_PORT, body, checksum=is_ipv6)
            protocol = IpProtocol.UDP
        if self.shape.mode is Mode.TRANSPORT:
            return TransportForm(protocol).header(around, len(body)) + body
        return ip.build(source, destination, protocol, body, traffic_class=ip.traffic_class(around))

    def _signed(self, content: bytes, next_header: int, sequence: int, around: bytes) -> bytes:
        transform = self._sa.transform
        assert isinstance(transform, Ah)
        length = transform.length_around(len(content))
        header = self.carried(bytes(length), around)[:-length]
        return header + transform.seal(header, content, next_header, sequence)


def _is_right(packet: bytes) -> bool:
    """Not with so many extension headers that nobody takes them."""
    try:
        ip.check(packet)
    except RemoteError:
        return False
    return True
