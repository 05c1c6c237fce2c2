"""NAT detection: each side says where it thinks it is (RFC 7296 2.23)."""

from collections.abc import Sequence
from hashlib import sha1
from typing import TYPE_CHECKING

from ipsecsim.ike.v2.messages.message import Message, Path
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

HASH_LENGTH = 20


def nat_detection_hash(spi_i: bytes, spi_r: bytes, address: bytes, port: int) -> bytes:
    """SHA-1 of SPIi | SPIr | address | port, the SPIs as they stand in the message's header."""
    return sha1(spi_i + spi_r + address + port.to_bytes(2, "big"), usedforsecurity=False).digest()


def detection_notifies(sa: "IkeSa", path: Path) -> list[Notify]:
    """Both hashes of a message that this node sends; none where nobody looks for NATs.

    Forced encapsulation claims a false source, so that the peer believes in a NAT (strongSwan's `encap`).
    """
    if not sa.connection.nat_traversal:
        return []
    source = nat_detection_hash(sa.spi_i, sa.spi_r, path.local, path.local_port)
    if sa.connection.encap:
        source = sa.entropy.fork("false source").bytes(HASH_LENGTH)
    destination = nat_detection_hash(sa.spi_i, sa.spi_r, path.remote, path.remote_port)
    return [
        Notify(NotifyType.NAT_DETECTION_SOURCE_IP, source),
        Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, destination),
    ]


def detect(message: Message) -> tuple[bool, bool]:
    """Is this node behind a NAT, and is the peer? A peer that sends no hashes is believed to be in the open."""
    header, path = message.header, message.path
    seen_here = nat_detection_hash(header.spi_i, header.spi_r, path.local, path.local_port)
    seen_there = nat_detection_hash(header.spi_i, header.spi_r, path.remote, path.remote_port)
    destinations = _hashes(message, NotifyType.NAT_DETECTION_DESTINATION_IP)
    sources = _hashes(message, NotifyType.NAT_DETECTION_SOURCE_IP)
    return bool(destinations) and seen_here not in destinations, bool(sources) and seen_there not in sources


def _hashes(message: Message, kind: NotifyType) -> Sequence[bytes]:
    """A peer with several addresses sends several source hashes; one match is enough."""
    return [p.data for p in message.payloads if isinstance(p, Notify) and p.notify_type == kind]
