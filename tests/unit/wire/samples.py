"""A packet recorded from real peers (strongSwan on Linux), and a maker of IPv6 packets with extension headers."""

from collections.abc import Sequence

from ipsecsim.wire import ipv6
from ipsecsim.wire.numbers import IpProtocol

# An IKE_SA_INIT request from 10.1.0.10:500 to 10.2.0.10:500.
IKE_SA_INIT_PACKET = bytes.fromhex(
    "4500010016f640003f110fe10a01000a0a02000a"  # IPv4
    "01f401f400ec1514"  # UDP
    "48bcd2005beeae0200000000000000002120220800000000000000e4"  # IKE header
    "220000240000002001010003030000080100001c0300000802000005000000080400001f"  # SA
    "28000028001f0000ac263a235b3d7bbe209ce07f65f2da8cea93c0fbec2785f2950453a36300386d"  # KE
    "2900002404ff679ae3d35c79ea38caeb363f563c68c82c2037ce650fea46241b046182dd"  # Nonce
    "2900001c00004004db58ca9eb7585b39b262acc8ffb4c38905324578"  # N(NAT_DETECTION_SOURCE_IP)
    "2900001c00004005277721c66c27efafa616e72ec952847627372ffa"  # N(NAT_DETECTION_DESTINATION_IP)
    "290000080000402e290000100000402f00020003000400050000000800004016"  # three more notifies
)
IKE_SA_INIT = IKE_SA_INIT_PACKET[28:]


def chained(
    source: bytes, destination: bytes, headers: Sequence[tuple[int, bytes]], protocol: int, payload: bytes
) -> bytes:
    """An IPv6 packet with extension headers: of each its kind, and its bytes behind the first two.

    The bytes of a fragment header begin one earlier, with the reserved one.
    """
    chain = b""
    for (kind, body), following in zip(headers, [*(kind for kind, _ in headers[1:]), protocol], strict=False):
        length = b"" if kind == IpProtocol.FRAGMENT else bytes((len(body) // 8,))
        chain += bytes((following,)) + length + body
    first = headers[0][0] if headers else protocol
    return ipv6.build(source, destination, first, chain + payload)
