"""The secrets, keys and certificates a node holds, and whom it trusts."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecsim.base.wall_clock import WallClock
from ipsecsim.crypto.certificate_path import Known
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.signature_keys import PrivateKey
from ipsecsim.ike.identity import Identity

NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A pre-shared key and the identities it is for; none listed means for anybody."""

    name: str
    secret: bytes
    owners: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A private key of the node's own, and its certificates: its own first, then what leads up to a root."""

    name: str
    key: PrivateKey
    certificates: tuple[Certificate, ...] = ()


class Credentials:
    """All that one node holds, and the `clock` by which it judges certificates."""

    def __init__(
        self,
        shared: Sequence[SharedSecret] = (),
        keys: Sequence[OwnKey] = (),
        known: Known = NOTHING_KNOWN,
        *,
        clock: WallClock | None = None,
    ) -> None:
        self._shared = tuple(shared)
        self.keys = tuple(keys)
        self.known = known
        self.clock = clock or WallClock()

    def shared_secret(self, own: Identity, peer: Identity | None) -> SharedSecret | None:
        """The secret that lists most of the two identities; the first one wins a tie. None when none fits."""
        best: SharedSecret | None = None
        best_score = -1
        for candidate in self._shared:
            score = sum(identity in candidate.owners for identity in (own, peer))
            if candidate.owners and not score:
                continue
            if score > best_score:
                best, best_score = candidate, score
        return best
