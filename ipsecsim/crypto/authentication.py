"""From an integrity row and a key to the object that signs and checks AH packets (RFC 4302)."""

from hmac import compare_digest

from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.errors import IntegrityFailed
from ipsecsim.crypto.rows import Authentication, Integrity, Keyed

__all__ = ["Authentication", "IntegrityFailed", "make_authentication"]


def make_authentication(integrity: Integrity, key: bytes) -> Authentication:
    """The keyed object of one direction of one AH SA. Raises LocalError when the key has the wrong length."""
    if len(key) != integrity.key_length:
        raise LocalError(
            f"{integrity.name} takes {integrity.key_length} bytes of key material, not {len(key)}"
        )
    if integrity.iv:
        return WithIv(integrity.make(key), integrity)
    return Truncated(integrity.make(key), integrity.icv)


class Truncated:
    """The front of a keyed function's output is the ICV."""

    __slots__ = ("_authenticate", "icv_length", "iv_length")

    def __init__(self, authenticate: Keyed, icv: int) -> None:
        self.iv_length = 0
        self.icv_length = icv
        self._authenticate = authenticate

    def fresh_iv(self) -> bytes:
        """None is needed."""
        return b""

    def sign(self, data: bytes, iv: bytes = b"") -> bytes:
        """The ICV. Raises LocalError when an IV is given."""
        if iv:
            raise LocalError(f"an IV of {len(iv)} bytes, the algorithm takes none")
        return self._authenticate(data)[: self.icv_length]

    def check(self, data: bytes, icv: bytes | memoryview) -> None:
        """Raise IntegrityFailed unless `icv` belongs to `data`."""
        if not compare_digest(self._authenticate(data)[: self.icv_length], icv):
            raise IntegrityFailed("the integrity check value is wrong")


class WithIv:
    """The ICV field holds the IV of this packet and behind it the ICV (RFC 4543 4)."""

    __slots__ = ("_authenticate", "_counter", "icv_length", "iv_length")

    def __init__(self, authenticate: Keyed, row: Integrity) -> None:
        self.iv_length = row.iv
        self.icv_length = row.iv + row.icv
        self._authenticate = authenticate
        self._counter = 0

    def fresh_iv(self) -> bytes:
        """A counter: an IV must never repeat under a key (RFC 4543 3.1)."""
        self._counter += 1
        return self._counter.to_bytes(self.iv_length, "big")

    def sign(self, data: bytes, iv: bytes = b"") -> bytes:
        """IV | ICV. Raises LocalError when the IV has another length."""
        if len(iv) != self.iv_length:
            raise LocalError(f"an IV of {len(iv)} bytes, the algorithm takes {self.iv_length}")
        return iv + self._authenticate(iv + data)

    def check(self, data: bytes, icv: bytes | memoryview) -> None:
        """Raise IntegrityFailed unless `icv`, an IV and an ICV, belongs to `data`."""
        if len(icv) != self.icv_length:
            raise IntegrityFailed(f"{len(icv)} bytes are not the length of IV and ICV, {self.icv_length}")
        iv = bytes(icv[: self.iv_length])
        if not compare_digest(self._authenticate(iv + data), icv[self.iv_length :]):
            raise IntegrityFailed("the integrity check value is wrong")
