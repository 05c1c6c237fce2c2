"""Checks of the kinds about IKEv2 keys, proofs and NAT detection."""

from ipsecsim.crypto.catalogue import Group, IkeSuite, Prf
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.prf import prf_plus
from ipsecsim.crypto.signatures import scheme_of
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2.keying.keys import derive_ike_keys, derive_skeyseed, rekey_skeyseed
from ipsecsim.ike.v2.paths.nat import nat_detection_hash
from ipsecsim.ike.v2.peer.auth import is_equal, psk_auth, signed_octets
from ipsecsim.ike.v2.peer.trust import carries
from ipsecsim.wire.ike.auth import DigitalSignature
from ipsecsim.wire.ike.numbers import AuthMethod
from tests.vectors import algorithms
from tests.vectors.case import Case
from tests.vectors.results import NotSupportedError, same


def skeyseed(case: Case) -> None:
    """SKEYSEED from the nonces, which come in one piece."""
    case.expect("skeyseed", derive_skeyseed(case.prf(), case.octets("nonces"), b"", case.octets("dh_secret")))


def rekeyed_skeyseed(case: Case) -> None:
    """SKEYSEED of a rekeyed IKE SA."""
    seed = rekey_skeyseed(
        case.prf(),
        case.octets("old_sk_d"),
        case.octets("g_ir_new"),
        case.octets("nonce_i"),
        case.octets("nonce_r"),
    )
    case.expect("skeyseed", seed)


def stretched(case: Case) -> None:
    """prf+."""
    output = prf_plus(case.prf(), case.octets("key"), case.octets("seed"), case.number("length"))
    case.expect("output", output)


def session_keys(case: Case) -> None:
    """All keys of a new IKE SA, from private key or shared secret on."""
    row = case.prf()
    group, secret = _shared_secret(case, "dh_private_i", "ke_r", own="ke_i")
    seed = derive_skeyseed(row, case.octets("nonce_i"), case.octets("nonce_r"), secret)
    _compare_ike_keys(case, seed, group)


def rekeyed_keys(case: Case) -> None:
    """All keys of a rekeyed IKE SA."""
    row = case.prf()
    group, secret = _shared_secret(case, "dh_private_r", "ke_i", own=None)
    seed = rekey_skeyseed(
        row, case.octets("old_sk_d"), secret, case.octets("nonce_i"), case.octets("nonce_r")
    )
    _compare_ike_keys(case, seed, group)


def _shared_secret(case: Case, private: str, peer: str, own: str | None) -> tuple[Group | None, bytes]:
    """The group and the secret. Without a row for the group the published secret stands in, and None."""
    if case.has("shared_secret"):
        return None, case.octets("shared_secret")
    try:
        row = case.group("dh_group")
    except NotSupportedError:
        return None, bytes.fromhex(str(case.published("shared_secret")))
    pair = row.from_private(case.octets(private))
    if own is not None:
        same(own, pair.public, case.octets(own))
    secret = pair.shared_secret(case.octets(peer))
    case.expect("shared_secret", secret)
    return row, secret


def _compare_ike_keys(case: Case, seed: bytes, group: Group | None) -> None:
    case.expect("skeyseed", seed)
    key_bits = 8 * case.number("encr_key_len")
    name = case.text("encr")
    if case.has("integ"):
        integrity_row = case.integrity(case.text("integ"), _usual_icv(case.text("integ")))
        cipher = case.encryption(name, 0, key_bits)
    else:
        integrity_row, cipher = None, case.encryption(name, 16, key_bits)
    # of the group the keys only need the secret: any row will do where it has none
    suite = IkeSuite(cipher, key_bits, integrity_row, case.prf(), group or algorithms.group(14))
    keys = derive_ike_keys(
        suite,
        seed,
        case.octets("nonce_i"),
        case.octets("nonce_r"),
        case.octets("spi_i"),
        case.octets("spi_r"),
    )
    for key in ("sk_d", "sk_ai", "sk_ar", "sk_ei", "sk_er", "sk_pi", "sk_pr"):
        case.expect(key, getattr(keys, key))
    if group is None and case.has("dh_group"):
        # the rest held, but the exchange itself was not recomputed: no pass
        algorithms.group(case.number("dh_group"))


def _usual_icv(name: str) -> int:
    """The ICV length that goes with an integrity name where the case does not say."""
    return {"sha256": 16, "sha384": 24, "sha512": 32}.get(name, 12)


def psk_proof(case: Case) -> None:
    """AUTH by pre-shared key."""
    row, octets = _signed_octets(case)
    proof = psk_auth(row, case.octets("psk"), octets)
    case.expect("auth", proof)
    case.expect("method", int(AuthMethod.SHARED_KEY_MIC))
    same("compared as equal", is_equal(proof, bytes.fromhex(str(case.published("auth")))), True)


def msk_proof(case: Case) -> None:
    """AUTH after EAP: the same proof, keyed by what EAP agreed on (RFC 7296 2.16)."""
    row, octets = _signed_octets(case)
    case.expect("auth", psk_auth(row, case.octets("msk"), octets))
    case.expect("method", int(AuthMethod.SHARED_KEY_MIC))


def signature_proof(case: Case) -> None:
    """AUTH by signature: octets, identifier, and a signature that holds for them and for no others (RFC 7427 3)."""
    _, octets = _signed_octets(case)
    same("method", case.number("method"), int(AuthMethod.DIGITAL_SIGNATURE))
    auth = bytes.fromhex(str(case.published("auth")))
    data = DigitalSignature.parse(auth)
    same("written again", data.emit(), auth)
    case.expect("algorithm_identifier", data.algorithm)
    scheme = scheme_of(data.algorithm)
    words = {"pkcs1v15": "rsa", "pss": "rsa/pss"}
    same("scheme", scheme.word, f"{words[str(case.published('padding'))]}-{case.published('hash')}")
    leaf = Certificate.parse(case.octets("certificate"))
    same("signature holds", scheme.is_good(leaf.key, octets, data.signature), True)
    same("and for other octets", scheme.is_good(leaf.key, octets + b"\0", data.signature), False)
    body = case.octets("id_payload_body")
    same("the certificate carries the identity", carries(leaf, Identity(body[0], body[4:])), True)


def _signed_octets(case: Case) -> tuple[Prf, bytes]:
    row = case.prf()
    octets = signed_octets(
        row,
        case.octets("real_message"),
        case.octets("nonce_peer"),
        case.octets("sk_p"),
        case.octets("id_payload_body"),
    )
    case.text("role")  # initiator and responder are made alike; the inputs differ
    case.expect("signed_octets", octets)
    return row, octets


def nat_detection(case: Case) -> None:
    """A NAT_DETECTION_*_IP notification against the address it should stand for, or should not."""
    digest = nat_detection_hash(
        case.octets("spi_i"), case.octets("spi_r"), case.octets("ip"), case.number("port")
    )
    case.text("notify")  # source and destination are hashed alike
    published = bytes.fromhex(str(case.published("notify_data")))
    same("length", len(published), len(digest))
    case.expect("matches", digest == published)
