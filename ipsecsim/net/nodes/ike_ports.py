"""What comes to the two ports of IKE, 500 and 4500, on a simulated node or on real sockets (RFC 7296 2.23)."""

from ipsecsim.base.actions import Action
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.ike.endpoint import IkeEndpoint
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.stack.events import PacketDelivered
from ipsecsim.wire import ip, udp
from ipsecsim.wire.nat_t import Encapsulated, unwrap
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol


def receive(
    ike: IkeEndpoint,
    ipsec: IpsecEngine,
    path: Path,
    packet: bytes,
    payload: bytes,
    now: Instant,
    tap: Tap | None,
) -> list[Action]:
    """IKE on 500; on 4500 IKE, ESP and keepalives share the port (RFC 3948 2).

    `packet` is what `payload` came in.
    """
    if path.local_port == NAT_T_PORT:
        try:
            kind, payload = unwrap(payload)
        except RemoteError as wrong:
            return _drop(wrong.reason, packet, str(wrong), tap)
        if kind is Encapsulated.KEEPALIVE:
            return _drop(DropReason.KEEPALIVE, packet, "", tap)
        if kind is Encapsulated.ENCAPSULATED_ESP:
            start = ip.upper_layer(packet)[1] + udp.HEADER_LENGTH
            return ipsec.inbound(IpProtocol.ESP, packet, start, now)
    if tap is not None:
        tap(PacketDelivered(IpProtocol.UDP, "ike"))
    return ike.datagram(path, payload, now)


def _drop(reason: DropReason, packet: bytes, detail: str, tap: Tap | None) -> list[Action]:
    if tap is not None:
        tap(PacketDropped(reason, packet, detail))
    return []
