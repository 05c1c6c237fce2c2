"""Checks of the kinds that ask one algorithm: ciphers, integrity, prf, key exchange."""

from ipsecsim.crypto.authentication import make_authentication
from ipsecsim.crypto.catalogue import INTEGRITY, Encryption
from ipsecsim.crypto.key_exchange import InvalidPublicValue
from ipsecsim.crypto.modp_groups import GENERATORS, ORDERS, PRIMES
from ipsecsim.crypto.prf import compute
from ipsecsim.crypto.protection import IntegrityFailed, Protection, make_protection
from ipsecsim.wire.ike.chain import emit_chain
from ipsecsim.wire.ike.key_exchange import KeyExchange
from tests.vectors.case import Case
from tests.vectors.results import MismatchError, same

SHORTEST_PRINTED = 16  # RFC 4231 prints no less than 128 bits of an output


def cipher(case: Case) -> None:
    """A bare classic cipher: seal and open, and look between the IV and an ICV of our own."""
    key, salt, iv = case.octets("key"), case.octets_or_none("salt"), case.octets("iv")
    row = case.encryption(case.text("alg"), 0, 8 * len(key))
    protection = _with_any_integrity(row, 8 * len(key), key + salt)
    sealed = protection.seal(b"", case.octets("plaintext"), iv)
    case.expect("ciphertext", sealed[row.iv : -protection.icv_length])
    same("opened", protection.open(b"", sealed), case.octets("plaintext"))


def _with_any_integrity(row: Encryption, key_bits: int, key: bytes) -> Protection:
    integrity = INTEGRITY[12]
    return make_protection(row, key_bits, key, integrity, bytes(integrity.key_length))


def aead(case: Case) -> None:
    """An AEAD, both ways; the same with another AAD must not open."""
    key, salt, aad = case.octets("key"), case.octets("salt"), case.octets("aad")
    row = case.encryption(case.text("alg"), case.number("icv_len"), 8 * len(key))
    protection = make_protection(row, 8 * len(key), key + salt, None)
    sealed = protection.seal(aad, case.octets("plaintext"), case.octets("iv"))
    case.expect("ciphertext", sealed[row.iv : -row.icv])
    case.expect("icv", sealed[-row.icv :])
    same("opened", protection.open(aad, sealed), case.octets("plaintext"))
    try:
        protection.open(aad + b"x", sealed)
    except IntegrityFailed:
        return
    raise MismatchError("opened under another AAD")


def integrity(case: Case) -> None:
    """An ICV, as AH signs and checks it; with an IV before it where the case gives one."""
    key, salt, iv = case.octets("key"), case.octets_or_none("salt"), case.octets_or_none("iv")
    row = case.integrity(case.text("alg"), case.number("icv_len"), 8 * len(key))
    same("key length", row.key_length, len(key + salt))
    data = case.octets("data")
    authentication = make_authentication(row, key + salt)
    field = authentication.sign(data, iv)
    same("IV", field[: row.iv], iv)
    case.expect("icv", field[row.iv :])
    authentication.check(data, field)
    try:
        authentication.check(data + b"x", field)
    except IntegrityFailed:
        return
    raise MismatchError("other data has the same ICV")


def prf(case: Case) -> None:
    """A prf output, or the part of it that the source prints."""
    row = case.prf()
    output = compute(row, case.octets("key"), case.octets("data"))
    same("output length", len(output), row.output)
    published = bytes.fromhex(str(case.published("output")))
    if "truncated" in case.notes and len(published) >= SHORTEST_PRINTED:
        output = output[: len(published)]
    same("output", output, published)


def exchange(case: Case) -> None:
    """Both sides of a key exchange from their private keys, up to the whole KE payload."""
    row = case.group()
    initiator, responder = (row.from_private(case.octets(f"private_{side}")) for side in "ir")
    same("ke_i", initiator.public, case.octets("ke_i"))
    same("ke_r", responder.public, case.octets("ke_r"))
    same("both sides", initiator.shared_secret(responder.public), responder.shared_secret(initiator.public))
    case.expect("shared_secret", initiator.shared_secret(case.octets("ke_r")))
    for name, pair in (("ke_payload_i", initiator), ("ke_payload_r", responder)):
        case.expect_if_given(name, emit_chain([KeyExchange(row.id, pair.public)])[1])
    if case.expects("shared_point_y"):
        point = _multiply(int.from_bytes(case.octets("private_i"), "big"), case.octets("ke_r"))
        same("shared point", point[0], initiator.shared_secret(responder.public))
        case.expect("shared_point_y", point[1])


# The program only ever needs x (RFC 5903 7). To compare a published y, the point is computed here once more.
_PRIMES = {
    64: 2**256 - 2**224 + 2**192 + 2**96 - 1,
    96: 2**384 - 2**128 - 2**96 + 2**32 - 1,
    132: 2**521 - 1,
}


def _multiply(times: int, public: bytes) -> tuple[bytes, bytes]:
    """`times` a point x | y of a NIST curve, whose coefficient a is -3."""
    prime, half = _PRIMES[len(public)], len(public) // 2
    base = (int.from_bytes(public[:half], "big"), int.from_bytes(public[half:], "big"))
    total: tuple[int, int] | None = None
    for bit in f"{times:b}":
        total = _add(total, total, prime)
        if bit == "1":
            total = _add(total, base, prime)
    if total is None:
        raise MismatchError("the shared point is at infinity")
    return total[0].to_bytes(half, "big"), total[1].to_bytes(half, "big")


def _add(one: tuple[int, int] | None, other: tuple[int, int] | None, prime: int) -> tuple[int, int] | None:
    if one is None or other is None:
        return one or other
    if one == other:
        slope = 3 * (one[0] * one[0] - 1) * pow(2 * one[1], -1, prime) % prime
    elif one[0] == other[0]:
        return None
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, prime) % prime
    x = (slope * slope - one[0] - other[0]) % prime
    return x, (slope * (one[0] - x) - one[1]) % prime


def one_sided(case: Case) -> None:
    """A shared secret from one private key and the peer's public value."""
    pair = case.group().from_private(case.octets("private"))
    case.expect("shared_secret", pair.shared_secret(case.octets("ke_peer")))


def refused(case: Case) -> None:
    """A public value that must not be used."""
    pair, value = case.group().from_private(case.octets("private")), case.octets("ke")
    case.expect_refusal("must", InvalidPublicValue, lambda: pair.shared_secret(value))


def modp_parameters(case: Case) -> None:
    """Prime, generator and size of a MODP group."""
    row = case.group()
    prime, generator = PRIMES[row.id], GENERATORS[row.id]
    case.expect("prime", prime.to_bytes(row.public_length, "big"))
    if case.expects("subgroup_order"):
        order = ORDERS[row.id]
        case.expect("subgroup_order", order.to_bytes((order.bit_length() + 7) // 8, "big"))
        case.expect("generator", generator.to_bytes(row.public_length, "big"))
    else:
        case.expect("generator", generator)
        case.expect("bits", prime.bit_length())
    same("public value of 1", int.from_bytes(row.from_private(b"\x01").public, "big"), generator)
