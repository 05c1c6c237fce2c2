"""RSASSA-PSS with a salt that the caller chooses (RFC 8017 8.1.1, 9.1.1).

For study, not constant-time.
"""

import hashlib

import gmpy2  # type: ignore[import-untyped]  # it ships no stubs
from cryptography.hazmat.primitives.asymmetric import rsa

from ipsecsim.base.errors import LocalError

_TRAILER = b"\xbc"


def sign(key: rsa.RSAPrivateKey, hash_name: str, data: bytes, salt: bytes) -> bytes:
    """The signature of `data`, as long as the modulus. Raises LocalError when hash and salt do not fit in it."""
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    encoded = encode(data, salt, hash_name, modulus.bit_length() - 1)
    signature = gmpy2.powmod(int.from_bytes(encoded, "big"), numbers.d, modulus)
    return int(signature).to_bytes((modulus.bit_length() + 7) // 8, "big")


def encode(data: bytes, salt: bytes, hash_name: str, bits: int) -> bytes:
    """EMSA-PSS-ENCODE: masked DB | H | 0xbc, as a number of at most `bits` bits (RFC 8017 9.1.1)."""
    length = (bits + 7) // 8
    digest = hashlib.new(hash_name, data).digest()
    zeros = length - len(salt) - len(digest) - 2
    if zeros < 0:
        raise LocalError(f"a salt of {len(salt)} bytes and {hash_name} do not fit into {bits} bits")
    hashed = hashlib.new(hash_name, bytes(8) + digest + salt).digest()
    block = bytes(zeros) + b"\x01" + salt
    mask = mgf1(hashed, len(block), hash_name)
    masked = bytearray(a ^ b for a, b in zip(block, mask, strict=True))
    masked[0] &= 0xFF >> (8 * length - bits)
    return bytes(masked) + hashed + _TRAILER


def mgf1(seed: bytes, length: int, hash_name: str) -> bytes:
    """The mask generation function (RFC 8017 B.2.1)."""
    size = hashlib.new(hash_name).digest_size
    blocks = [
        hashlib.new(hash_name, seed + counter.to_bytes(4, "big")).digest()
        for counter in range(-(-length // size))
    ]
    return b"".join(blocks)[:length]
