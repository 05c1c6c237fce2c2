"""The AUTH payload's value: a proof over the peer's own first message (RFC 7296 2.15)."""

import hmac
from typing import TYPE_CHECKING

from ipsecsim.crypto.catalogue import Prf
from ipsecsim.crypto.prf import compute
from ipsecsim.ike.v2.keying.intermediate import authenticated
from ipsecsim.wire.ike.identification import Identification

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

KEY_PAD = b"Key Pad for IKEv2"  # 17 letters, no zero at the end


def signed_octets(prf: Prf, real_message: bytes, nonce_peer: bytes, sk_p: bytes, id_body: bytes) -> bytes:
    """What AUTH covers: own first message, the *other* side's nonce, own identity under SK_p.

    `id_body` is the ID payload without its four-byte payload header (RFC 7296 2.15).
    """
    return real_message + nonce_peer + compute(prf, sk_p, id_body)


def octets_of(sa: "IkeSa", identification: Identification, *, by_initiator: bool) -> bytes:
    """What the side that `identification` belongs to has to prove itself over."""
    if by_initiator:
        message, nonce, key = sa.init_request, sa.nonce_r, sa.keys.sk_pi
    else:
        message, nonce, key = sa.init_response, sa.nonce_i, sa.keys.sk_pr
    octets = signed_octets(sa.suite.prf, message, nonce, key, identification.emit())
    return octets + authenticated(sa)  # RFC 9242 3.3.2


def psk_auth(prf: Prf, psk: bytes, octets: bytes) -> bytes:
    """AUTH for a pre-shared key: prf(prf(PSK, pad), octets) (RFC 7296 2.15)."""
    return compute(prf, compute(prf, psk, KEY_PAD), octets)


def is_equal(expected: bytes, received: bytes) -> bool:
    """Compare two proofs without telling by time where they differ."""
    return hmac.compare_digest(expected, received)
