"""AH of one SA: signs a whole packet, its IP header included, and checks the signature (RFC 4302)."""

from struct import Struct

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.crypto.authentication import make_authentication
from ipsecsim.crypto.errors import IntegrityFailed
from ipsecsim.crypto.rows import Integrity
from ipsecsim.ipsec.errors import Refused
from ipsecsim.ipsec.mutable_fields import as_it_will_arrive, without_mutable_fields
from ipsecsim.wire import ah

_HIGH_HALF = Struct("!I")
_LOW_HALF = 0xFFFF_FFFF


class Ah:
    """The keyed object of one SA. Sequence numbers given to it are whole; it sends the low half.

    `alignment` in bytes: 4 for IPv4 and 8 for IPv6 (RFC 4302 2.6).
    """

    __slots__ = ("_authentication", "_blank", "_extended", "_iv", "_padding", "_spi", "length")

    is_authenticated = True

    def __init__(
        self, integrity: Integrity, key: bytes, spi: int, *, extended: bool = False, alignment: int = 4
    ) -> None:
        self._authentication = make_authentication(integrity, key)
        self._spi = spi
        self._extended = extended
        icv_length = self._authentication.icv_length
        self._iv = self._authentication.iv_length
        # RFC 4302 3.3.3.1: only the ICV itself is signed as zeros, an IV in its field as it stands
        self._blank = bytes(icv_length - self._iv)
        self._padding = bytes(ah.padding(icv_length, alignment))
        self.length = ah.FIXED_LENGTH + icv_length + len(self._padding)

    def length_around(self, payload_length: int) -> int:
        """Bytes from the AH to the end of a payload of so many bytes."""
        return self.length + payload_length

    def largest_payload(self, room: int) -> int:
        """The most payload bytes that fit into `room` bytes with the AH; below 0 when nothing does."""
        return room - self.length

    def padding(self, payload_length: int) -> int:
        """How many bytes of padding stand behind the ICV."""
        return len(self._padding)

    def seal(
        self,
        header: bytes,
        payload: bytes,
        next_header: int,
        sequence: int,
        iv: bytes | None = None,
        padding: bytes | None = None,
    ) -> bytes:
        """The AH and the payload. `header` is the IP header, in front of them, as it will leave.

        `iv`, for GMAC, and `padding`, whose bytes mean nothing, are given only to repeat a recording.
        """
        front = ah.FIXED.pack(next_header, self.length // 4 - 2, 0, self._spi, sequence & _LOW_HALF)
        behind = (self._padding if padding is None else padding) + payload
        if iv is None:
            iv = self._authentication.fresh_iv()
        signed = (
            without_mutable_fields(as_it_will_arrive(header))
            + front
            + iv
            + self._blank
            + behind
            + self._high_half(sequence)
        )
        return front + self._authentication.sign(signed, iv) + behind

    def open(self, packet: bytes, start: int, end: int, sequence: int) -> bytes:
        """What is authentic from the AH that stands at `start` in a packet of `end` bytes: the AH and its payload.

        Raises RemoteError: AH_BAD_LEN when the header's length is not that of this SA's ICV and padding,
        AH_ICV_FAIL. `sequence` is the whole number.
        """
        front = packet[start : start + ah.FIXED_LENGTH]
        if ah.length(front) != self.length:
            raise Refused(
                DropReason.AH_BAD_LEN, f"AH of {ah.length(front)} bytes, this SA's has {self.length}"
            )
        icv_start = start + ah.ICV
        try:
            self._authentication.check(
                self._signed(packet, start, end, sequence),
                packet[icv_start : icv_start + self._authentication.icv_length],
            )
        except IntegrityFailed as failed:
            raise Refused(DropReason.AH_ICV_FAIL, str(failed)) from None
        return packet[start:end]

    def expected_icv(self, packet: bytes, start: int, end: int, sequence: int) -> bytes:
        """The ICV that would be right for a packet, without the IV of GMAC; for those who look on."""
        iv_start = start + ah.ICV
        iv = packet[iv_start : iv_start + self._iv]
        return self._authentication.sign(self._signed(packet, start, end, sequence), iv)[self._iv :]

    def _signed(self, packet: bytes, start: int, end: int, sequence: int) -> bytes:
        """What the ICV of a received packet is over (RFC 4302 3.4.4)."""
        blank_start = start + ah.ICV + self._iv
        return (
            without_mutable_fields(packet[:start])
            + packet[start:blank_start]
            + self._blank
            + packet[blank_start + len(self._blank) : end]
            + self._high_half(sequence)
        )

    def content(self, authentic: bytes) -> tuple[bytes, int]:
        """The payload and its next header."""
        return authentic[self.length :], authentic[0]

    def _high_half(self, sequence: int) -> bytes:
        """RFC 4302 3.3.3.2.2: the high half of an extended number is signed behind all else and never sent."""
        return _HIGH_HALF.pack(sequence >> 32) if self._extended else b""
