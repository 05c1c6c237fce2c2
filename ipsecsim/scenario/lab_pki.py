"""The lab's certificates: one root, one authority below it, and a certificate for each node that wants one.

The same seed gives the same octets. RSA keys lie in `topologies/pki`, since primes take long to find; all others
are made from the seed. All of them are public: a lab has no secrets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.instant import CALENDAR_START
from ipsecsim.crypto.certificate_path import Known
from ipsecsim.crypto.certificates import AlternativeNames, Certificate
from ipsecsim.crypto.issuing import Authority, Wish, issue, issue_list, issue_root
from ipsecsim.crypto.signature_keys import KeyKind, PrivateKey
from ipsecsim.ike.credentials import OwnKey
from ipsecsim.ike.identity import Identity
from ipsecsim.scenario.library import root as topologies
from ipsecsim.wire.distinguished_name import to_text
from ipsecsim.wire.ike.numbers import IdType

DAY = 86_400
YEAR = 365 * DAY
RSA_FILES = 8  # for nodes
AUTHORITIES = ("root", "issuing", "department", "team", "stranger")
"""Each below the one before it, but for the roots. `issuing` signs for nodes, `team` where the chain is long."""
ROOTS = ("root", "stranger")
ORGANISATION = "O=ipsecsim lab"


class Flaw(Enum):
    """What is wrong with a node's certificate, or unusual about it. The values are the words of `cert:`."""

    GOOD = "good"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    WRONG_NAME = "wrong_name"
    UNKNOWN_CA = "unknown_ca"
    LONG_CHAIN = "long_chain"


KIND_WORDS = {
    "ecdsa256": KeyKind.P256,
    "ecdsa384": KeyKind.P384,
    "ecdsa521": KeyKind.P521,
    "ed25519": KeyKind.ED25519,
    "ed448": KeyKind.ED448,
    "rsa": KeyKind.RSA,
}
"""The words of `pki:`, for the kind of every key that nobody asks for in another kind."""


@dataclass(slots=True)
class LabPki:
    """Issues certificates. `start` is the date at which the run begins, in seconds since 1970."""

    seed: str
    kind: KeyKind = KeyKind.P256
    start: int = CALENDAR_START
    _revoked: list[int] = field(default_factory=list)
    _rsa_used: int = 0
    _authorities: dict[str, Authority] = field(default_factory=dict)

    @property
    def root(self) -> Authority:
        """The root that every node trusts."""
        return self.authority("root")

    @property
    def issuing(self) -> Authority:
        """The authority that issues the nodes' certificates."""
        return self.authority("issuing")

    def authority(self, name: str) -> Authority:
        """One of `AUTHORITIES`."""
        if name in ROOTS:
            return self._root(name)
        above = AUTHORITIES[AUTHORITIES.index(name) - 1]
        return self._below(self.authority(above), name)

    def known(self) -> Known:
        """What every node is told: the root, and both authorities' revocation lists."""
        lists = [
            issue_list(
                authority, serials, number=1, this_update=self.start, next_update=self.start + 30 * DAY
            )
            for authority, serials in ((self.root, ()), (self.issuing, tuple(self._revoked)))
        ]
        return Known(roots=(self.root.certificate,), lists=tuple(lists))

    def own_key(
        self,
        name: str,
        identities: Sequence[Identity],
        flaw: Flaw = Flaw.GOOD,
        kind: KeyKind | None = None,
    ) -> OwnKey:
        """A key for a node, with a certificate for its identities and those that lead up to the root."""
        kind = kind or self.kind
        label = f"{name} {kind.value}"
        key = self._node_key(label, kind)
        wish = self._wish(label, name, key, identities, flaw)
        if flaw is Flaw.UNKNOWN_CA:
            issuers = [self.authority("stranger")]
        else:
            several = AUTHORITIES[:4] if flaw is Flaw.LONG_CHAIN else AUTHORITIES[:2]
            issuers = [self.authority(each) for each in reversed(several)]
        certificate = issue(wish, issuers[0])
        if flaw is Flaw.REVOKED:
            self._revoked.append(certificate.serial)
        chain: list[Certificate] = [certificate, *(each.certificate for each in issuers)]
        return OwnKey(name, key, tuple(chain))

    def _wish(
        self, label: str, name: str, key: PrivateKey, identities: Sequence[Identity], flaw: Flaw
    ) -> Wish:
        subject = next(
            (to_text(each.data) for each in identities if each.id_type == IdType.ID_DER_ASN1_DN),
            f"{ORGANISATION}, CN={name}",
        )
        first, last = self.start - 30 * DAY, self.start + YEAR
        if flaw is Flaw.EXPIRED:
            first, last = self.start - YEAR, self.start - DAY
        elif flaw is Flaw.NOT_YET_VALID:
            first, last = self.start + 30 * DAY, self.start + YEAR
        if flaw is Flaw.WRONG_NAME:
            identities, subject = (
                [Identity.from_text(f"not-{name}.example")],
                f"{ORGANISATION}, CN=not {name}",
            )
        return Wish(subject, key.public, self._serial(label), first, last, _names(identities))

    def _root(self, name: str) -> Authority:
        if name not in self._authorities:
            key = self._authority_key(name)
            last = self.start + 20 * YEAR
            wish = Wish(
                f"{ORGANISATION}, CN={name}",
                key.public,
                self._serial(name),
                self.start - 10 * YEAR,
                last,
                is_authority=True,
            )
            self._authorities[name] = issue_root(wish, key)
        return self._authorities[name]

    def _below(self, above: Authority, name: str) -> Authority:
        if name not in self._authorities:
            key = self._authority_key(name)
            first, last = self.start - 5 * YEAR, self.start + 5 * YEAR
            subject = f"{ORGANISATION}, CN={name}"
            wish = Wish(subject, key.public, self._serial(name), first, last, is_authority=True)
            self._authorities[name] = Authority(issue(wish, above), key)
        return self._authorities[name]

    def _authority_key(self, name: str) -> PrivateKey:
        if self.kind is KeyKind.RSA:
            return _rsa_key(name if name in ("root", "stranger") else "issuing")
        return PrivateKey.make(self.kind, self._entropy(f"authority {name}"))

    def _node_key(self, label: str, kind: KeyKind) -> PrivateKey:
        if kind is not KeyKind.RSA:
            return PrivateKey.make(kind, self._entropy(f"node {label}"))
        self._rsa_used += 1
        return _rsa_key(str((self._rsa_used - 1) % RSA_FILES + 1))

    def _serial(self, label: str) -> int:
        """63 bits, so that it is positive in eight octets."""
        return int.from_bytes(self._entropy(f"serial {label}").bytes(8), "big") >> 1 | 1

    def _entropy(self, label: str) -> SeededEntropy:
        return SeededEntropy(f"lab pki {self.seed}").fork(label)


@cache
def _rsa_key(name: str) -> PrivateKey:
    return PrivateKey.from_pem((topologies() / "pki" / f"rsa-{name}.pem").read_bytes())


def _names(identities: Sequence[Identity]) -> AlternativeNames:
    """All that have a place among the alternative names; distinguished names stand in the subject."""

    def texts(kind: IdType) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(each) for each in identities if each.id_type == kind))

    addresses = (IdType.ID_IPV4_ADDR, IdType.ID_IPV6_ADDR)
    return AlternativeNames(
        hosts=texts(IdType.ID_FQDN),
        mailboxes=texts(IdType.ID_RFC822_ADDR),
        addresses=tuple(dict.fromkeys(each.data for each in identities if each.id_type in addresses)),
    )
