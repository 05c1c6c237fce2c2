"""Here is a packet taken apart for people: IP of both versions, and what it carries, down to IKE payloads.

Never raises: bytes that make no sense are shown as such. Ranges count from the start of the packet.
Every protocol has its reader in one of the `dissect_...` files; a reader hands on what its header carries.
"""

from ipsecsim.wire.dissect_icmp import read_icmp, read_icmpv6
from ipsecsim.wire.dissect_ip import read_ip, read_ipv4, read_ipv6
from ipsecsim.wire.dissect_ipsec import read_ah, read_esp
from ipsecsim.wire.dissect_place import Place, Reader
from ipsecsim.wire.dissect_transport import read_tcp, read_udp
from ipsecsim.wire.ike.dissect import dissect_ike, dissect_payloads
from ipsecsim.wire.layout import Field
from ipsecsim.wire.numbers import IpProtocol
from ipsecsim.wire.opening import Opener

__all__ = ["dissect", "dissect_ike", "dissect_opened", "dissect_payloads"]

READERS: dict[int, Reader] = {
    IpProtocol.IPV4: read_ipv4,
    IpProtocol.IPV6: read_ipv6,
    IpProtocol.ICMP: read_icmp,
    IpProtocol.ICMPV6: read_icmpv6,
    IpProtocol.TCP: read_tcp,
    IpProtocol.UDP: read_udp,
    IpProtocol.ESP: read_esp,
    IpProtocol.AH: read_ah,
}


def dissect(packet: bytes, opener: Opener | None = None) -> Field:
    """The fields of an IP packet as a tree. The root covers the packet."""
    return dissect_opened(packet, opener)[0]


def dissect_opened(packet: bytes, opener: Opener | None) -> tuple[Field, bytes]:
    """The fields, and the packet with all that `opener` has keys for decrypted in its place."""
    plain = bytearray(packet)
    root = read_ip(Place(packet, 0, len(packet), READERS, opener=opener, plain=plain))
    return root, bytes(plain)
