"""One direction of an SA outside any engine: opens recorded packets, and seals them again as they were."""

from dataclasses import dataclass

from ipsecsim.crypto.catalogue import AhSuite, EspSuite
from ipsecsim.ipsec.ah import Ah
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.replay import ReplayWindow
from ipsecsim.wire import ah, esp
from ipsecsim.wire.numbers import IpProtocol
from tests.vectors.results import MismatchError, same

WINDOW = 32


@dataclass(frozen=True, slots=True)
class Opened:
    """An ESP or AH packet taken apart. `sequence` is the whole number; `pad` stands behind AH's ICV."""

    spi: int
    sequence: int
    iv: bytes
    payload: bytes
    pad: bytes
    next_header: int
    icv: bytes


class RecordedSa:
    """Suite and keys at work, in the objects that every SA of the program holds.

    `sequence` is the number of the last packet before the recording. `alignment` is that of AH.
    """

    def __init__(
        self,
        suite: EspSuite | AhSuite,
        spi: int,
        encryption_key: bytes,
        integrity_key: bytes,
        *,
        extended: bool = False,
        sequence: int = 0,
        alignment: int = 4,
    ) -> None:
        self._spi = spi
        self._iv_length = 0 if isinstance(suite, EspSuite) else suite.integrity.iv
        self._window = ReplayWindow(WINDOW, sequence, extended=extended)
        self.transform: Esp | Ah
        if isinstance(suite, EspSuite):
            self.protocol = IpProtocol.ESP
            self.transform = Esp(suite, encryption_key, integrity_key, spi, extended=extended)
        else:
            self.protocol = IpProtocol.AH
            self.transform = Ah(suite.integrity, integrity_key, spi, extended=extended, alignment=alignment)

    def open(self, packet: bytes, start: int = 0, end: int | None = None) -> Opened:
        """Check and open the ESP or AH that stands at `start` to `end`. Raises RemoteError."""
        end = len(packet) if end is None else end
        numbers = esp.numbers if self.protocol == IpProtocol.ESP else ah.numbers
        spi, low = numbers(packet, start, end)
        same("spi", spi, self._spi)
        sequence = self._window.whole(low)
        if self._window.check(sequence) is not None:
            raise MismatchError(f"sequence number {sequence} a second time, or too late")
        authentic = self.transform.open(packet, start, end, sequence)
        self._window.accept(sequence)
        payload, next_header = self.transform.content(authentic)
        if isinstance(self.transform, Ah):
            field = authentic[ah.ICV : self.transform.length]
            icv_end = len(field) - self.transform.padding(len(payload))
            iv, icv, pad = field[: self._iv_length], field[self._iv_length : icv_end], field[icv_end:]
        else:
            protection, begin = self.transform.protection, start + esp.HEADER_LENGTH
            iv, icv = packet[begin : begin + protection.iv_length], packet[end - protection.icv_length : end]
            pad = authentic[len(payload) : -esp.TRAILER_LENGTH]
        return Opened(spi, sequence, iv, payload, pad, next_header, icv)

    def seal_again(self, opened: Opened, header: bytes, payload: bytes, next_header: int) -> bytes:
        """From SPI or AH to the end, with recorded IV and number. Only AH's padding is anybody's choice."""
        if isinstance(self.transform, Ah):
            return self.transform.seal(header, payload, next_header, opened.sequence, opened.iv, opened.pad)
        return self.transform.seal(header, payload, next_header, opened.sequence, opened.iv)
