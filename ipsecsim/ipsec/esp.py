"""ESP of one SA: seals a payload and opens it again, whatever IP header stands in front (RFC 4303).

Where the payload comes from is the mode's business (`tunnel`, `transport`), how it is enciphered the suite's
(`crypto`). Here is what lies between: header, sequence number, padding, trailer.
"""

from struct import Struct

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.crypto.catalogue import EspSuite
from ipsecsim.crypto.protection import make_protection
from ipsecsim.ipsec.errors import Refused
from ipsecsim.wire import esp

_EXTENDED = Struct("!IQ")  # SPI, and the whole 64-bit number
_HIGH_HALF = Struct("!I")
_ALIGNMENT = 4  # RFC 4303 2.4: the trailer ends on a 4-byte boundary, whatever the cipher
_LOW_HALF = 0xFFFF_FFFF


class Esp:
    """The keyed object of one SA. Sequence numbers given to it are whole; it sends the low half."""

    __slots__ = (
        "_extended",
        "_high_is_behind",
        "_open",
        "_overhead",
        "_seal",
        "_spi",
        "_tfc_length",
        "_tfc_wanted",
        "_trailers",
        "alignment",
        "is_authenticated",
        "protection",
    )

    def __init__(
        self,
        suite: EspSuite,
        encryption_key: bytes,
        integrity_key: bytes,
        spi: int,
        *,
        extended: bool = False,
        tfc_length: int = 0,
    ) -> None:
        protection = make_protection(
            suite.encryption, suite.key_bits, encryption_key, suite.integrity, integrity_key
        )
        self.protection = protection
        self.is_authenticated = suite.is_authenticated
        self.alignment = max(_ALIGNMENT, protection.alignment)
        self._seal, self._open = protection.seal, protection.open
        self._spi = spi
        self._extended = extended
        # RFC 4303 2.2.1: separate integrity algorithms read the high half behind the trailer; combined ones
        # have their own rule, and all of them put it between SPI and low half (RFC 4106 5)
        self._high_is_behind = extended and not protection.combined
        self._overhead = esp.HEADER_LENGTH + protection.iv_length + protection.icv_length
        self._tfc_wanted = self._tfc_length = tfc_length
        self._trailers: dict[int, tuple[bytes, ...]] = {}

    def length_around(self, payload_length: int) -> int:
        """Bytes from SPI to ICV around a payload of so many bytes."""
        if payload_length < self._tfc_length:
            payload_length = self._tfc_length
        return (
            self._overhead
            + payload_length
            + esp.TRAILER_LENGTH
            + -(payload_length + esp.TRAILER_LENGTH) % self.alignment
        )

    def largest_payload(self, room: int) -> int:
        """The most payload bytes that fit into `room` bytes from SPI to ICV; below 0 when nothing does."""
        return (room - self._overhead) // self.alignment * self.alignment - esp.TRAILER_LENGTH

    def limit_flow_padding(self, largest: int) -> None:
        """Let traffic flow padding make no payload longer than `largest` bytes, what its path has room for."""
        self._tfc_length = max(0, min(self._tfc_wanted, largest))

    def padding(self, payload_length: int) -> int:
        """How many pad bytes stand in front of the trailer, traffic flow padding not counted."""
        return -(max(payload_length, self._tfc_length) + esp.TRAILER_LENGTH) % self.alignment

    def seal(
        self, header: bytes, payload: bytes, next_header: int, sequence: int, iv: bytes | None = None
    ) -> bytes:
        """From SPI to ICV. ESP does not look at the IP header; `iv` is given only to repeat a recording."""
        trailers = self._trailers.get(next_header) or self._make_trailers(next_header)
        length = len(payload)
        if length < self._tfc_length:
            # RFC 4303 2.7: behind the packet, whose own length says where it ends
            payload += bytes(self._tfc_length - length)
            length = self._tfc_length
        plaintext = payload + trailers[length % self.alignment]
        if not self._extended:
            front = esp.HEADER.pack(self._spi, sequence)
            return front + self._seal(front, plaintext, iv)
        front = esp.HEADER.pack(self._spi, sequence & _LOW_HALF)
        aad, behind = self._authenticated(front, sequence)
        return front + self._seal(aad, plaintext, iv, behind)

    def open(self, packet: bytes, start: int, end: int, sequence: int) -> bytes:
        """What is authentic of the ESP that stands at `start` to `end` in a packet: payload, padding and trailer.

        Raises RemoteError: ESP_SHORT, ESP_ALIGN, ICV_FAIL. `sequence` is the whole number.
        """
        ciphertext = end - start - self._overhead
        if ciphertext < esp.TRAILER_LENGTH:
            raise Refused(DropReason.ESP_SHORT, f"{end - start} bytes")
        if ciphertext % self.alignment:
            raise Refused(DropReason.ESP_ALIGN, f"{ciphertext} bytes of ciphertext")
        begin = start + esp.HEADER_LENGTH
        front = packet[start:begin]
        if not self._extended:
            return self._open(front, packet[begin:end])
        aad, behind = self._authenticated(front, sequence)
        return self._open(aad, packet[begin:end], behind)

    def expected_icv(self, packet: bytes, sequence: int) -> bytes:
        """The ICV that an ESP packet, given from its SPI on, should have; for those who look on."""
        front, sealed = packet[: esp.HEADER_LENGTH], packet[esp.HEADER_LENGTH :]
        if not self._extended:
            return self.protection.expected_icv(front, sealed)
        aad, behind = self._authenticated(front, sequence)
        return self.protection.expected_icv(aad, sealed, behind)

    def content(self, authentic: bytes) -> tuple[bytes, int]:
        """The payload and its next header. Raises RemoteError (ESP_BAD_PAD)."""
        return esp.strip_trailer(authentic)

    def _authenticated(self, front: bytes, sequence: int) -> tuple[bytes, bytes]:
        """What is authenticated in front of the IV, and behind the ciphertext, with extended numbers."""
        if self._high_is_behind:
            return front, _HIGH_HALF.pack(sequence >> 32)
        return _EXTENDED.pack(self._spi, sequence), b""

    def _make_trailers(self, next_header: int) -> tuple[bytes, ...]:
        # one trailer for each length modulo the alignment: no padding is computed per packet
        made = tuple(esp.trailer(length, self.alignment, next_header) for length in range(self.alignment))
        self._trailers[next_header] = made
        return made
