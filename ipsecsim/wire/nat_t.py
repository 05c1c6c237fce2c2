"""Here is how port 4500 is shared: ESP, IKE behind a marker, and keepalives (RFC 3948 2)."""

from enum import Enum

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.reader import Truncated

NON_ESP_MARKER = b"\0\0\0\0"
KEEPALIVE = b"\xff"


class Encapsulated(Enum):
    """What a datagram on port 4500 holds."""

    ENCAPSULATED_ESP = "ESP"
    IKE = "IKE"
    KEEPALIVE = "NAT keepalive"


def classify(datagram: bytes) -> Encapsulated:
    """What the payload of a datagram on port 4500 is. Raises Truncated (UDP_SHORT) below 4 bytes.

    An IKE message begins after the marker. An SPI is never 0, so the first 4 bytes tell the two apart.
    """
    if len(datagram) < len(NON_ESP_MARKER):
        if datagram == KEEPALIVE:
            return Encapsulated.KEEPALIVE
        raise Truncated(f"{len(datagram)} bytes on port 4500", DropReason.UDP_SHORT)
    return Encapsulated.IKE if datagram.startswith(NON_ESP_MARKER) else Encapsulated.ENCAPSULATED_ESP


def wrap_ike(message: bytes) -> bytes:
    """An IKE message as it travels on port 4500."""
    return NON_ESP_MARKER + message


def unwrap(datagram: bytes) -> tuple[Encapsulated, bytes]:
    """What the payload of a datagram on port 4500 is, and the ESP packet or IKE message in it. Raises Truncated."""
    kind = classify(datagram)
    return kind, datagram[len(NON_ESP_MARKER) :] if kind is Encapsulated.IKE else datagram
