"""One direction of an ESP SA outside any engine: opens recorded packets and seals them again as they were."""

from dataclasses import dataclass

from ipsecsim.crypto.catalogue import EspSuite
from ipsecsim.ipsec.esp import Esp
from ipsecsim.wire import esp, ipv4, udp
from ipsecsim.wire.checksum import pseudo_header_sum
from ipsecsim.wire.nat_t import Encapsulated, classify
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from tests.vectors.results import MismatchError, NotSupportedError, same


@dataclass(frozen=True, slots=True)
class Opened:
    """An ESP packet taken apart."""

    spi: int
    sequence: int
    iv: bytes
    inner: bytes
    pad: bytes
    next_header: int
    icv: bytes


class EspKeys:
    """Suite and keys at work, in the object that every SA of the program holds."""

    def __init__(self, suite: EspSuite, spi: int, encryption_key: bytes, integrity_key: bytes) -> None:
        self._esp = Esp(suite, encryption_key, integrity_key, spi)

    def open(self, payload: bytes) -> Opened:
        """Check and open an ESP packet that starts at the SPI. Raises RemoteError."""
        spi, sequence = esp.numbers(payload)
        inner, next_header = self._esp.content(self._esp.open(payload, 0, len(payload), sequence))
        protection = self._esp.protection
        sealed = payload[esp.HEADER_LENGTH :]
        plaintext = protection.open(payload[: esp.HEADER_LENGTH], sealed)
        pad = plaintext[len(inner) : -esp.TRAILER_LENGTH]
        iv, icv = sealed[: protection.iv_length], sealed[len(sealed) - protection.icv_length :]
        return Opened(spi, sequence, iv, inner, pad, next_header, icv)

    def seal(self, spi: int, sequence: int, iv: bytes, inner: bytes, next_header: int) -> bytes:
        """The ESP packet with a recorded IV and sequence number, and the program's own padding."""
        sealed = self._esp.seal(b"", inner, next_header, sequence, iv)
        same("spi", esp.numbers(sealed)[0], spi)
        return sealed

    def seal_again(self, opened: Opened) -> bytes:
        """The packet that was opened."""
        return self.seal(opened.spi, opened.sequence, opened.iv, opened.inner, opened.next_header)


def unwrap(packet: bytes) -> bytes:
    """The ESP packet inside an IPv4 packet, straight or in UDP. Raises NotSupportedError for IPv6."""
    if packet[:1] and packet[0] >> 4 == 6:
        raise NotSupportedError("IPv6")
    header, content = ipv4.parse(packet), ipv4.payload(packet)
    if header.protocol == IpProtocol.UDP:
        source_port, destination_port, content = udp.parse(content)
        if NAT_T_PORT not in (source_port, destination_port):
            raise MismatchError(f"no ESP between ports {source_port} and {destination_port}")
        same("on port 4500", classify(content), Encapsulated.ENCAPSULATED_ESP)
    else:
        same("protocol", header.protocol, IpProtocol.ESP)
    return content


def wrap_again(packet: bytes, payload: bytes) -> bytes:
    """An IPv4 packet with the header fields of `packet`, built afresh around `payload`."""
    header = ipv4.parse(packet)
    if header.protocol == IpProtocol.UDP:
        payload = datagram_again(header, ipv4.payload(packet), payload)
    return ipv4.build(
        header.source,
        header.destination,
        header.protocol,
        payload,
        ttl=header.ttl,
        identification=header.identification,
        tos=header.tos,
        dont_fragment=header.dont_fragment,
        more_fragments=header.more_fragments,
        fragment_offset=header.fragment_offset,
        options=header.options,
    )


def datagram_again(header: ipv4.Ipv4Header, segment: bytes, payload: bytes) -> bytes:
    """A UDP segment with the ports of `segment`, built afresh around `payload`.

    A sender whose hardware finishes the checksum records the sum of the pseudo header alone: that
    unfinished value is repeated, any other must come out right.
    """
    source_port, destination_port, _payload = udp.parse(segment)
    field = int.from_bytes(segment[6:8], "big")
    again = udp.build(
        header.source, header.destination, source_port, destination_port, payload, checksum=field != 0
    )
    pseudo = pseudo_header_sum(header.source, header.destination, IpProtocol.UDP, len(again))
    if field == pseudo % 0xFFFF:
        return again[:6] + segment[6:8] + again[8:]
    return again
