"""Initiators that have begun and not yet proved who they are: bounded, and made to show their address under load.

A first message costs its sender nothing, and its source address may be false (RFC 7296 2.6).
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.ike.config import HalfOpenLimits
from ipsecsim.ike.errors import IkeError, InvalidSyntax
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.messages.message import Path
    from ipsecsim.ike.v2.sa import IkeSa

SECRET_LIFE = 120 * SECOND
SECRET_LENGTH = 32

PREFIX_LENGTH = 8  # bytes; one IPv6 subscriber has at least a /64, with more addresses than there are limits


class Beginning(NamedTuple):
    """What tells one first message from another: SPI and address alone could be those of two initiators."""

    spi_i: bytes
    address: bytes
    port: int
    digest: bytes

    @classmethod
    def of(cls, spi_i: bytes, path: "Path", message: bytes) -> "Beginning":
        """That of a whole message, and the address and port it came from (RFC 7296 2.1)."""
        return cls(spi_i, path.remote, path.remote_port, sha256(message).digest())

    @property
    def origin(self) -> bytes:
        """Who counts as one initiator: an IPv4 address, or an IPv6 prefix of 64 bits (RFC 8019 4.2)."""
        return self.address if len(self.address) == 4 else self.address[:PREFIX_LENGTH]


class CookieRequired(IkeError):
    """The answer is a cookie and nothing else; nothing about the initiator is remembered."""

    notify = NotifyType.COOKIE

    def __init__(self, cookie: bytes, *, was_wrong: bool) -> None:
        super().__init__(
            "the cookie is not ours" if was_wrong else "too many half-open SAs to go without a cookie"
        )
        self.reason = DropReason.COOKIE_WRONG if was_wrong else DropReason.COOKIE_REQUIRED
        self.notify_data = cookie


class TooManyHalfOpen(IkeError):
    """The cap on half-open SAs, of this address or of all, is reached. Dropped without an answer."""

    reason = DropReason.HALF_OPEN_LIMIT


class TooManyStanding(IkeError):
    """The cap on IKE SAs is reached. Dropped without an answer."""

    reason = DropReason.IKE_SA_LIMIT


class HalfOpenTable:
    """The half-open IKE SAs of one responder, found by the message that each began with."""

    def __init__(self, limits: HalfOpenLimits, entropy: Entropy) -> None:
        self._limits = limits
        self._sas: dict[Beginning, IkeSa] = {}
        self._per_origin: dict[bytes, int] = {}
        self._shown: dict[bytes, int] = {}  # those of them that have returned a cookie
        self._entropy = entropy
        self._secrets: dict[int, bytes] = {}  # by the number of the period in which each was made

    def __len__(self) -> int:
        return len(self._sas)

    def find(self, key: Beginning) -> "IkeSa | None":
        """The SA that a first message belongs to, when it is a repetition."""
        return self._sas.get(key)

    def admit(self, key: Beginning, payloads: Sequence[Payload], standing: int, now: Instant) -> bool:
        """May this initiator begin, and has it shown that it is where it says? Raises when it may not.

        CookieRequired, TooManyHalfOpen or TooManyStanding. `standing` IKE SAs are no longer half-open, or never
        were. Nobody is shut out by what others have sent in its name: when an address has many it is asked for a
        cookie, and only those that have returned one count against it then.
        """
        if standing >= self._limits.standing:
            raise TooManyStanding(f"{standing} IKE SAs")
        if len(self._sas) >= self._limits.total:
            raise TooManyHalfOpen(f"{len(self._sas)} half-open SAs")
        limit, origin = self._limits.per_address, key.origin
        if len(self._sas) < self._limits.cookie_threshold and self._per_origin.get(origin, 0) < limit:
            return False
        nonce = next((payload.data for payload in payloads if isinstance(payload, Nonce)), None)
        if nonce is None:
            raise InvalidSyntax("no nonce to make a cookie for")
        shown = _cookie_in(payloads)
        period = now // SECRET_LIFE
        if shown not in (self._cookie(key, nonce, period), self._cookie(key, nonce, period - 1)):
            raise CookieRequired(self._cookie(key, nonce, period), was_wrong=shown is not None)
        if self._shown.get(origin, 0) >= limit:
            raise TooManyHalfOpen(f"{limit} half-open SAs of this address")
        return True

    def add(self, key: Beginning, sa: "IkeSa") -> None:
        """An initiator has begun."""
        if key not in self._sas:
            for count in self._counts(sa):
                count[key.origin] = count.get(key.origin, 0) + 1
        self._sas[key] = sa

    def remove(self, key: Beginning) -> None:
        """It proved itself, or it is gone. Harmless when it is not here."""
        gone = self._sas.pop(key, None)
        if gone is None:
            return
        for count in self._counts(gone):
            count[key.origin] -= 1
            if not count[key.origin]:
                del count[key.origin]

    def _counts(self, sa: "IkeSa") -> list[dict[bytes, int]]:
        return [self._per_origin, self._shown] if sa.has_shown_its_address else [self._per_origin]

    def _cookie(self, key: Beginning, nonce: bytes, period: int) -> bytes:
        """<VersionIDofSecret> | Hash(Ni | IPi | SPIi), keyed with the secret (RFC 7296 2.6)."""
        version = period.to_bytes(8, "big", signed=True)[-1:]
        return version + hmac.digest(self._secret(period), nonce + key.address + key.spi_i, "sha256")

    def _secret(self, period: int) -> bytes:
        """The secret of a period; all but this and the last one are forgotten."""
        if period not in self._secrets:
            self._secrets[period] = self._entropy.once(f"cookie secret {period}").bytes(SECRET_LENGTH)
            for old in [each for each in self._secrets if each < period - 1]:
                del self._secrets[old]
        return self._secrets[period]


def _cookie_in(payloads: Sequence[Payload]) -> bytes | None:
    """The cookie, which has to be the first payload; None without one."""
    front = payloads[0] if payloads else None
    if isinstance(front, Notify) and front.notify_type == NotifyType.COOKIE:
        return front.data
    return None
