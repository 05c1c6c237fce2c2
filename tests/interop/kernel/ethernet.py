"""Here are Ethernet II frames between two neighbours who know each other: no ARP, no neighbour discovery.

The guest is told our address once and for all; what it asks the whole link (routers, group members) is nothing
to us.
"""

OURS = bytes.fromhex("020000000001")
GUESTS = bytes.fromhex("020000000002")

HEADER_LENGTH = 14
_TYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}


def frame(packet: bytes) -> bytes:
    """A frame from us to the guest around an IP packet of either version."""
    return GUESTS + OURS + _TYPES[packet[0] >> 4] + packet


def packet_in(received: bytes) -> bytes | None:
    """The IP packet that the guest sent us; None for any other frame."""
    is_ours = received[:6] == OURS and received[12:HEADER_LENGTH] in _TYPES.values()
    return received[HEADER_LENGTH:] if is_ours and len(received) > HEADER_LENGTH else None


def text(address: bytes) -> str:
    """As `ip link` writes it."""
    return address.hex(":")
