"""The pseudo-random function and prf+, its stretched form (RFC 7296 2.13)."""

from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.rows import Prf

MOST_BLOCKS = 255  # the block number is one byte


def compute(prf: Prf, key: bytes, data: bytes) -> bytes:
    """prf(key, data): `prf.output` bytes."""
    return prf.make(key)(data)


def prf_plus(prf: Prf, key: bytes, seed: bytes, length: int) -> bytes:
    """`length` bytes of T1 | T2 | ..., where Tn = prf(key, Tn-1 | seed | n).

    Raises LocalError beyond 255 blocks, where prf+ is not defined.
    """
    blocks = -(-length // prf.output)
    if blocks > MOST_BLOCKS:
        raise LocalError(f"prf+ makes {MOST_BLOCKS * prf.output} bytes of {prf.name} at most, not {length}")
    keyed = prf.make(key)
    stream, block = [], b""
    for number in range(1, blocks + 1):
        block = keyed(block + seed + bytes((number,)))
        stream.append(block)
    return b"".join(stream)[:length]
