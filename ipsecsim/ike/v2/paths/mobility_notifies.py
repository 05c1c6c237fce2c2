"""What MOBIKE says, in notifies: addresses, NAT prohibition and the routability cookie (RFC 4555 4)."""

from collections.abc import Sequence

from ipsecsim.ike.errors import InvalidSyntax
from ipsecsim.ike.v2.messages.message import Message, Path, notify
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

MOST_ADDRESSES = 16  # of a peer; what it says beyond that is not listened to
COOKIE2_LENGTHS = range(8, 65)  # RFC 4555 4.2.5
_LENGTHS: dict[int, int] = {NotifyType.ADDITIONAL_IP4_ADDRESS: 4, NotifyType.ADDITIONAL_IP6_ADDRESS: 16}
_KINDS = {4: NotifyType.ADDITIONAL_IP4_ADDRESS, 16: NotifyType.ADDITIONAL_IP6_ADDRESS}


def additional(addresses: Sequence[bytes]) -> list[Notify]:
    """A list of further addresses. That there is none has a notify of its own, which IKE_AUTH does not need."""
    return [Notify(_KINDS[len(each)], each) for each in addresses]


def read_additional(payloads: Sequence[Payload]) -> tuple[bytes, ...] | None:
    """The whole list that the peer sends, empty when it says that there is none; None when it says nothing.

    Raises InvalidSyntax for what is no address (RFC 4555 4.2.2). Addresses that no single machine can have are left
    out: whoever sends to them would serve somebody's attack.
    """
    said: list[bytes] = []
    is_said = notify(payloads, NotifyType.NO_ADDITIONAL_ADDRESSES) is not None
    for payload in payloads:
        if not isinstance(payload, Notify):
            continue
        length = _LENGTHS.get(payload.notify_type)
        if length is None:
            continue
        if len(payload.data) != length:
            raise InvalidSyntax(f"an address of {len(payload.data)} bytes instead of {length}")
        is_said = True
        if _is_one_machine(payload.data) and payload.data not in said and len(said) < MOST_ADDRESSES:
            said.append(payload.data)
    return tuple(said) if is_said else None


def no_nats_allowed(path: Path) -> Notify:
    """The addresses and ports of a message as its sender sees them (RFC 4555 4.2.6)."""
    return Notify(
        NotifyType.NO_NATS_ALLOWED, _ends(path.local, path.remote, path.local_port, path.remote_port)
    )


def was_changed_on_the_way(message: Message) -> bool:
    """Does NO_NATS_ALLOWED, where it stands, differ from the IP and UDP headers (RFC 4555 3.9)?

    Raises InvalidSyntax when it has the length of neither IP version.
    """
    said = notify(message.payloads, NotifyType.NO_NATS_ALLOWED)
    if said is None:
        return False
    if len(said.data) not in (12, 36):
        raise InvalidSyntax(f"NO_NATS_ALLOWED of {len(said.data)} bytes")
    path = message.path
    return said.data != _ends(path.remote, path.local, path.remote_port, path.local_port)


def read_cookie2(payloads: Sequence[Payload]) -> Notify | None:
    """What has to go back unchanged. Raises InvalidSyntax for a length that is not allowed (RFC 4555 4.2.5)."""
    cookie = notify(payloads, NotifyType.COOKIE2)
    if cookie is not None and len(cookie.data) not in COOKIE2_LENGTHS:
        raise InvalidSyntax(f"COOKIE2 of {len(cookie.data)} bytes")
    return cookie


def _ends(source: bytes, destination: bytes, source_port: int, destination_port: int) -> bytes:
    return source + destination + source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")


def _is_one_machine(address: bytes) -> bool:
    """Not the unspecified address, not loopback, not a group's (RFC 6890, RFC 4291 2.5, 2.7)."""
    if len(address) == 4:
        return 0 < address[0] < 224 and address[0] != 127
    return address[0] != 0xFF and int.from_bytes(address, "big") > 1
