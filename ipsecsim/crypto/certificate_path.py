"""From a peer's certificate to a root that we trust, and whether all on the way may be believed (RFC 5280 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.crypto.certificates import Certificate, RevocationList
from ipsecsim.crypto.errors import ChainRefused
from ipsecsim.crypto.name_constraints import offends

LONGEST = 8  # certificates, leaf and root included
MOST_TRIES = 32  # signatures checked while a path is looked for

UNTRUSTED = Diagnosis.AUTH_CERT_UNTRUSTED
EXPIRED = Diagnosis.AUTH_CERT_EXPIRED


class Revocation(Enum):
    """How much must be known: a fresh list for each certificate, for those that name one, or for none.

    Whatever it is, a certificate that stands on a list is refused.
    """

    STRICT = "strict"
    IF_URI = "ifuri"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class Known:
    """What a node has besides that which a peer sends: roots it trusts, further certificates, revocation lists."""

    roots: tuple[Certificate, ...] = ()
    others: tuple[Certificate, ...] = ()
    lists: tuple[RevocationList, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that may be believed until `not_after`, seconds since 1970: leaf first, root last."""

    certificates: tuple[Certificate, ...]
    not_after: int


def believe(
    leaf: Certificate,
    sent: Sequence[Certificate],
    known: Known,
    at: int,
    revocation: Revocation = Revocation.RELAXED,
) -> Chain:
    """The chain from `leaf` to a root, good at the time `at`. Raises ChainRefused with what is wrong with the best.

    `sent` came with it: they may help to find the way, and are believed no more than their signatures.
    """
    search = _Search(known, sent)
    refused: ChainRefused | None = None
    for path in search.paths((leaf,)):
        try:
            return Chain(path, _check(path, known, at, revocation))
        except ChainRefused as error:
            refused = refused or error
    if refused is None:
        raise ChainRefused(f"no chain leads from {leaf} to a trusted root", UNTRUSTED)
    raise refused


class _Search:
    """Finds paths by name and signature, roots first, and gives up after so many signatures."""

    def __init__(self, known: Known, sent: Sequence[Certificate]) -> None:
        self._roots = known.roots
        self._between = (*sent, *known.others)
        self._tries = 0

    def paths(self, path: tuple[Certificate, ...]) -> "list[tuple[Certificate, ...]]":
        """Every way up from the last certificate of `path`."""
        last = path[-1]
        if any(root.der == last.der for root in self._roots):
            return [path]
        if len(path) == LONGEST:
            return []
        found: list[tuple[Certificate, ...]] = []
        for candidate in (*self._roots, *self._between):
            if (
                candidate.subject == last.issuer
                and candidate not in path
                and self._has_signed(candidate, last)
            ):
                found += self.paths((*path, candidate))
        return found

    def _has_signed(self, candidate: Certificate, certificate: Certificate) -> bool:
        if self._tries == MOST_TRIES:
            return False
        self._tries += 1
        return certificate.is_signed_by(candidate)


def _check(path: tuple[Certificate, ...], known: Known, at: int, revocation: Revocation) -> int:
    """Until when the path holds. Raises ChainRefused for the first thing that is wrong with it, root first."""
    until = min(each.not_after for each in path)
    for place in reversed(range(len(path))):
        certificate = path[place]
        _check_validity(certificate, at)
        if certificate.strangers:
            raise ChainRefused(
                f"{certificate} has a critical extension that nobody knows: {certificate.strangers[0]}",
                UNTRUSTED,
            )
        if place:
            _check_authority(certificate, path[1:place])
        if place < len(path) - 1:
            _check_names(certificate, path[place + 1 :], is_leaf=not place)
            until = min(until, _check_revocation(certificate, path[place + 1], known.lists, at, revocation))
    if not path[0].may_sign:
        raise ChainRefused(f"{path[0]}: its key is not for signatures", UNTRUSTED)
    return until


def _check_validity(certificate: Certificate, at: int) -> None:
    if at < certificate.not_before:
        raise ChainRefused(f"{certificate} is not valid yet", EXPIRED)
    if at > certificate.not_after:
        raise ChainRefused(f"{certificate} is no longer valid", EXPIRED)


def _check_authority(certificate: Certificate, below: Sequence[Certificate]) -> None:
    """`below` are the authorities between it and the leaf; those that sign for themselves do not count."""
    if not certificate.is_authority or not certificate.may_certify:
        raise ChainRefused(f"{certificate} is no authority", UNTRUSTED)
    bound = certificate.path_length
    if bound is not None and sum(not each.is_self_issued for each in below) > bound:
        raise ChainRefused(f"{certificate} may not have so many authorities below it", UNTRUSTED)


def _check_names(certificate: Certificate, above: Sequence[Certificate], *, is_leaf: bool) -> None:
    if certificate.is_self_issued and not is_leaf:
        return  # RFC 5280 6.1.3 (b)
    for authority in above:
        if authority.constraints is not None and (name := offends(certificate, authority.constraints)):
            raise ChainRefused(f"{authority} may not certify the name {name}", UNTRUSTED)


def _check_revocation(
    certificate: Certificate,
    issuer: Certificate,
    lists: Sequence[RevocationList],
    at: int,
    revocation: Revocation,
) -> int:
    """When the next list is due, if the one that was asked says so; else the certificate's own end."""
    until: int | None = None
    for each in lists:
        if each.issuer != issuer.subject or each.this_update > at or not each.is_signed_by(issuer):
            continue
        if certificate.serial in each.serials:
            raise ChainRefused(f"{certificate} was revoked", UNTRUSTED)
        if not each.strangers and each.next_update is not None and each.next_update >= at:
            until = max(until or 0, each.next_update)
    is_needed = revocation is Revocation.STRICT or (
        revocation is Revocation.IF_URI and certificate.names_a_list
    )
    if until is None and is_needed:
        raise ChainRefused(f"no fresh revocation list says anything about {certificate}", UNTRUSTED)
    return certificate.not_after if until is None else until
