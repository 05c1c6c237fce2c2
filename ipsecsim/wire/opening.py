"""What a dissector may be given to look under seals: somebody who has keys. `wire` itself has none."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Opened:
    """Sealed bytes, looked under. They are an IV, `plaintext` and an ICV; lengths in bytes.

    `plaintext` is empty when the seal is broken, and then `fault` says what is wrong. `encrypts` and
    `authenticates` say what the algorithms do: ESP may do either, or both.
    """

    iv_length: int
    icv_length: int
    plaintext: bytes
    encrypts: bool
    authenticates: bool
    fault: str = ""


class Opener(Protocol):
    """Has keys, or has not: then the answer is None."""

    def esp(self, packet: bytes) -> Opened | None:
        """An ESP packet from SPI to ICV."""
        ...

    def ike(self, message: bytes, sealed_at: int) -> Opened | None:
        """An IKE message with an Encrypted payload, whose IV begins at `sealed_at`."""
        ...

    def ah(self, packet: bytes, start: int) -> str:
        """What is wrong with the ICV of the AH at `start` of a packet; '' when it is right, or nobody can tell."""
        ...
