"""What proves an identity: certificates, revocation lists, keys, algorithms of signatures, and names."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random

from ipsecsim.base.address import pack
from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.certificate_path import Revocation, believe
from ipsecsim.crypto.certificates import Certificate, RevocationList
from ipsecsim.crypto.signature_keys import KeyKind, PublicKey
from ipsecsim.crypto.signatures import SIGNATURES, scheme_of
from ipsecsim.ike.identity import Identity, expected
from ipsecsim.ike.v2.peer.trust import carries
from ipsecsim.scenario.lab_pki import DAY, Flaw, LabPki
from ipsecsim.wire import der
from ipsecsim.wire.der import DerReader
from ipsecsim.wire.ike.auth import DigitalSignature
from ipsecsim.wire.ike.numbers import IdType
from ipsecsim.wire.reader import Malformed
from tests.hostile import mutators
from tests.hostile.seeds import Finding
from tests.hostile.target import ACCEPTED, Target, require
from tests.support.certificates import authority, certificate, constraints, network

_IDENTITIES = (
    Identity.from_text("west.example"),
    Identity.from_text("west@example.org"),
    Identity.from_text("O=lab, CN=west"),
    Identity(IdType.ID_IPV4_ADDR, pack("192.0.2.1")),
    Identity(IdType.ID_KEY_ID, bytes(20)),
)
_PATTERNS = tuple(map(expected, ("*.example", "*@example.org", "O=lab, *", "192.0.2.0/24", "O=lab, CN=*")))
_TAGS = (1, 2, 3, 4, 5, 6, 10, 12, 19, 22, 23, 24, 48, 49, 0x80, 0x82, 0x87, 0xA0, 0xA3, 0xA4)
_DEEP = 40


@cache
def _pki() -> LabPki:
    return LabPki("hostile")


@cache
def _certificates() -> tuple[bytes, ...]:
    own = [_pki().own_key(f"node {kind.value}", _IDENTITIES, kind=kind).certificates for kind in KeyKind]
    own.append(_pki().own_key("long", [], Flaw.LONG_CHAIN).certificates)
    bound = authority("bound", "", constraints(permitted=[network("10.0.0.0/8")]))
    return (*(each.der for chain in own for each in chain), bound.der, certificate("moon").der)


@cache
def _lists() -> tuple[bytes, ...]:
    return tuple(each.der for each in _pki().known().lists)


@cache
def _names() -> tuple[bytes, ...]:
    return tuple(each.data for each in _IDENTITIES)


def spoil_der(chance: Random, data: bytes) -> bytes:
    """Good DER with something else inside: every length around the change fits it."""
    return _spoil(chance, data, 0)


def _spoil(chance: Random, data: bytes, depth: int) -> bytes:
    try:
        reader = DerReader(data, "seed", None)  # type: ignore[arg-type]  # it is good, or is caught here
        parts = []
        while reader.remaining:
            parts.append(reader.next())
    except Malformed:
        return mutators.spoil(chance, data)
    if not parts or depth == _DEEP:
        return mutators.spoil(chance, data)
    at = chance.randrange(len(parts))
    one = parts[at]
    way = chance.random()
    if way < 0.75 and one.value:
        is_nested = one.tag & der.CONSTRUCTED or one.tag == der.OCTET_STRING
        inner = (
            _spoil(chance, one.value, depth + 1) if is_nested else mutators.spoil(chance, one.value)[:2000]
        )
        made = [der.element(one.tag, inner)]
    elif way < 0.8:
        made = []
    elif way < 0.85:
        made = [one.whole, one.whole]
    elif way < 0.9:
        made = [der.element(chance.choice(_TAGS), one.value)]
    elif way < 0.95:
        made = [one.whole, chance.choice(parts).whole]
    else:
        made = [der.element(one.tag, chance.choice(parts).whole)]
    return b"".join([*(part.whole for part in parts[:at]), *made, *(part.whole for part in parts[at + 1 :])])


def _judge_certificate(data: bytes) -> None:
    made = Certificate.parse(data)
    require(made.der == data, "a certificate is not what was read")
    for identity in _IDENTITIES:
        carries(made, identity)
    known = replace(_pki().known(), others=(_pki().issuing.certificate,))
    start = _pki().start
    for leaf, sent in ((made, ()), (Certificate.parse(_certificates()[0]), (made,))):
        for revocation in Revocation:
            chain = believe(leaf, sent, known, start + DAY, revocation)
            require(
                chain.certificates[-1].der == known.roots[0].der, "a chain ends elsewhere than at the root"
            )
            require(leaf.der in _certificates(), "a spoilt certificate was believed")


def _judge_list(data: bytes) -> None:
    made = RevocationList.parse(data)
    issuer = _pki().issuing.certificate
    require(not made.is_signed_by(issuer) or data in _lists(), "a spoilt list was believed")


def _judge_key(data: bytes) -> None:
    key = PublicKey.parse(data)
    for row in SIGNATURES:
        require(not row.is_good(key, b"data", bytes(64)), "a signature of zeros was good")


def _judge_algorithm(data: bytes) -> None:
    require(scheme_of(data).word in {row.word for row in SIGNATURES}, "an algorithm that has no row")


def _judge_signature(data: bytes) -> None:
    made = DigitalSignature.parse(data)
    require(made.emit() == data, "a signature is not written as it was read")
    _judge_algorithm(made.algorithm)


def _judge_identity(data: bytes) -> None:
    identity = Identity(data[0] if data else 0, data[1:])
    text = str(identity)
    require(isinstance(text, str), "an identity without a text")
    for pattern in _PATTERNS:
        require(
            pattern is not None and pattern.covers(identity) in (True, False), "a pattern does not decide"
        )
    identity.check()


_MAKERS: dict[str, tuple[Callable[[Random], bytes], Callable[[bytes], None]]] = {
    "certificate": (lambda chance: chance.choice(_certificates()), _judge_certificate),
    "revocation list": (lambda chance: chance.choice(_lists()), _judge_list),
    "public key": (lambda chance: Certificate.parse(chance.choice(_certificates())).key.info, _judge_key),
    "algorithm": (lambda chance: chance.choice(SIGNATURES).algorithm, _judge_algorithm),
    "signature": (
        lambda chance: DigitalSignature(chance.choice(SIGNATURES).algorithm, chance.randbytes(64)).emit(),
        _judge_signature,
    ),
    "identity": (lambda chance: bytes([chance.randrange(14)]) + chance.choice(_names()), _judge_identity),
}


class Proofs(Target):
    """Each is read and judged as a peer's would be; only what nobody has touched may be believed."""

    name = "certificates, signatures"
    share = 60

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._kind = "certificate"

    def next_input(self) -> bytes:
        chance = self.chance
        self._kind = chance.choice(("certificate", *_MAKERS))
        data = _MAKERS[self._kind][0](chance)
        if chance.random() < 0.7:
            return spoil_der(chance, data)
        return mutators.spoil(chance, data)

    def feed(self, data: bytes) -> str:
        try:
            _MAKERS[self._kind][1](data)
        except RemoteError as refused:
            return refused.reason.name
        return ACCEPTED

    def explain(self) -> str:
        return self._kind

    def replay(self, finding: Finding) -> str:
        """`where` is the kind."""
        self._kind = finding.where
        return super().replay(finding)
