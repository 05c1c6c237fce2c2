"""Somebody whose keys fit everything: what a peer sealed is then what it likes, and the dissector must read it."""

from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import esp
from ipsecsim.wire.opening import Opened

_IV, _ICV = 8, 16


class OpensAll:
    """Takes the bytes between IV and ICV as they stand for what was sealed."""

    def esp(self, packet: bytes) -> Opened | None:
        """An ESP packet from SPI to ICV; broken unless its trailer is right, as with real keys."""
        plaintext = packet[esp.HEADER_LENGTH + _IV : -_ICV]
        try:
            esp.strip_trailer(plaintext)
        except RemoteError:
            pad_length = max(0, min(3, len(plaintext) - esp.TRAILER_LENGTH))
            padding = bytes(range(1, pad_length + 1))
            plaintext = plaintext[: len(plaintext) - esp.TRAILER_LENGTH - pad_length] + padding
            plaintext += bytes((pad_length, packet[-1] if packet else 0))
        if len(packet) != esp.HEADER_LENGTH + _IV + len(plaintext) + _ICV:
            return Opened(_IV, _ICV, b"", encrypts=True, authenticates=True, fault="too short")
        return Opened(_IV, _ICV, plaintext, encrypts=True, authenticates=True)

    def ike(self, message: bytes, sealed_at: int) -> Opened | None:
        """An IKE message with an Encrypted payload."""
        plaintext = message[sealed_at + _IV : -_ICV]
        if not plaintext:
            return Opened(_IV, _ICV, b"", encrypts=True, authenticates=True, fault="too short")
        return Opened(_IV, _ICV, plaintext[:-1] + b"\0", encrypts=True, authenticates=True)

    def ah(self, packet: bytes, start: int) -> str:
        """Never right."""
        return "the seal is broken"
