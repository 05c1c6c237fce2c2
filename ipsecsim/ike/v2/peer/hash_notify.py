"""SIGNATURE_HASH_ALGORITHMS: which hashes a peer may sign with, and that RFC 7427 is spoken at all (RFC 7427 4)."""

from typing import TYPE_CHECKING

from ipsecsim.crypto.signatures import SignatureScheme
from ipsecsim.ike.config import AuthKind, Connection
from ipsecsim.ike.v2.messages.message import Message, notify
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def hashes_notify(sa: "IkeSa") -> list[Notify]:
    """Ours, where such a signature may be made or checked; who only knows secrets is not bothered with it."""
    taken = [scheme for connection in sa.candidates for scheme in _taken(connection) if scheme.algorithm]
    numbers = sorted({scheme.hash for scheme in taken})
    if not numbers:
        return []
    data = b"".join(number.to_bytes(2, "big") for number in numbers)
    return [Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, data)]


def read_hashes(message: Message) -> frozenset[int] | None:
    """What the peer listed; None when it does not speak RFC 7427. Numbers without a row mean nothing to us."""
    found = notify(message.payloads, NotifyType.SIGNATURE_HASH_ALGORITHMS)
    if found is None:
        return None
    return frozenset(
        int.from_bytes(found.data[at : at + 2], "big") for at in range(0, len(found.data) - 1, 2)
    )


def _taken(connection: Connection) -> tuple[SignatureScheme, ...]:
    """The signatures that we take from the peer; where it makes none, ours still need the notify both ways."""
    if connection.remote_auth.kind is AuthKind.PUBKEY:
        return connection.remote_auth.schemes
    return connection.local_auth.schemes if connection.local_auth.kind is AuthKind.PUBKEY else ()
