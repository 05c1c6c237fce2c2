"""The secrets a node holds, found by whom they are shared with."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecsim.ike.identity import Identity


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A pre-shared key and the identities it is for; none listed means for anybody."""

    name: str
    secret: bytes
    owners: tuple[Identity, ...] = ()


class Credentials:
    """All secrets of one node."""

    def __init__(self, shared: Sequence[SharedSecret] = ()) -> None:
        self._shared = tuple(shared)

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
