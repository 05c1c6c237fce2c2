"""What the bytes of packets say about their lives: what forwarding changed, and which one answers which."""

from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.checksum import update
from ipsecsim.wire.headers import security
from ipsecsim.wire.in_udp import ike_of


def forwarded(packet: bytes) -> bytes:
    """The packet with one hop less to live."""
    changed = bytearray(packet)
    if packet[0] >> 4 == 4:
        ipv4.decrement_ttl(changed)
    else:
        changed[ipv6.HOP_LIMIT] -= 1
    return bytes(changed)


def not_forwarded(packet: bytes) -> bytes:
    """The packet as it was before that."""
    changed = bytearray(packet)
    if packet[0] >> 4 == 4:
        word = int.from_bytes(packet[ipv4.TTL : ipv4.TTL + 2], "big")
        checksum = update(int.from_bytes(packet[10:12], "big"), word, word + 0x100)
        changed[ipv4.TTL] += 1
        changed[10:12] = checksum.to_bytes(2, "big")
    else:
        changed[ipv6.HOP_LIMIT] += 1
    return bytes(changed)


def answers(packet: bytes, prompt: bytes) -> bool:
    """Does a packet that was made when `prompt` was done with answer it: a reply, an error, an IKE response?

    It goes to where that one came from. An IKE request follows a response, and does not answer it; but one tells of
    ESP or AH that no SA is for.
    """
    if min(len(packet), len(prompt)) < ipv4.HEADER_LENGTH or ip.destination(packet) != ip.source(prompt):
        return False
    message = ike_of(packet)
    return message is None or message.is_response or security(prompt) is not None
