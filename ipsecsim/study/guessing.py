"""A pre-shared key is guessed off line, by whoever answered in the peer's place.

The initiator proves itself first (RFC 7296 1.2), over octets that its responder knows all of, for half of the
Diffie-Hellman exchange is its own. So the key is all that is left to try: word by word, and nobody hears of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import PRF, Prf
from ipsecsim.ike.v2.messages.message import first
from ipsecsim.ike.v2.peer.auth import is_equal, psk_auth, signed_octets
from ipsecsim.wire.ike.auth import Authentication
from ipsecsim.wire.ike.chain import parse_chain, parse_message
from ipsecsim.wire.ike.encrypted import Encrypted
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.identification import IdInitiator
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.numbers import AuthMethod, TransformType
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from ipsecsim.wire.opening import Opener

COMMON = (
    *(
        "123456",
        "password",
        "12345678",
        "qwerty",
        "123456789",
        "12345",
        "1234",
        "111111",
        "1234567",
        "dragon",
    ),
    *("123123", "abc123", "admin", "letmein", "welcome", "monkey", "secret", "master", "changeme", "default"),
    *(
        "test",
        "vpn",
        "vpnvpn",
        "ipsec",
        "cisco",
        "cisco123",
        "sharedsecret",
        "preshared",
        "presharedkey",
        "psk",
    ),
)
"""What is tried first. A real list has millions of words, and tries them in minutes."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An initiator's proof by pre-shared key as its responder has it: AUTH, and the octets that it is over."""

    prf: Prf
    octets: bytes
    auth: bytes

    def fits(self, secret: bytes) -> bool:
        """Would this secret have made the same proof (RFC 7296 2.15)?"""
        return is_equal(psk_auth(self.prf, secret, self.octets), self.auth)


def claim(messages: Sequence[bytes], sk_pi: bytes, keys: Opener) -> Claim | None:
    """The proof in the messages of IKE_SA_INIT and IKE_AUTH's request; None where no pre-shared key made it."""
    try:
        request, response, sealed = messages
        answered = parse_message(response)[1]
        inner = [*_opened(sealed, keys)]
    except RemoteError:
        return None
    prf, nonce = _prf(answered), first(answered, Nonce)
    identity, proof = first(inner, IdInitiator), first(inner, Authentication)
    if prf is None or nonce is None or identity is None or proof is None:
        return None
    if proof.method != AuthMethod.SHARED_KEY_MIC:
        return None
    return Claim(prf, signed_octets(prf, request, nonce.data, sk_pi, identity.emit()), proof.data)


def guess(claimed: Claim, words: Iterable[str] = COMMON) -> str:
    """The first word that makes the proof, '' for none of them."""
    return next((word for word in words if claimed.fits(word.encode())), "")


def _opened(message: bytes, keys: Opener) -> Iterator[Payload]:
    """What is inside an Encrypted payload. Raises RemoteError when that makes no sense."""
    _, payloads = parse_message(message)
    sealed = first(payloads, Encrypted)
    opened = None if sealed is None else keys.ike(message, len(message) - len(sealed.body))
    if sealed is not None and opened is not None and opened.plaintext:
        plaintext = opened.plaintext
        yield from parse_chain(sealed.first_inner, plaintext[: len(plaintext) - 1 - plaintext[-1]])


def _prf(payloads: Sequence[Payload]) -> Prf | None:
    chosen = first(payloads, SecurityAssociationPayload)
    transforms = chosen.proposals[0].transforms if chosen is not None and chosen.proposals else []
    return next((PRF.get(each.id) for each in transforms if each.type == TransformType.PRF), None)
