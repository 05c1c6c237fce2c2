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
    return Truncated(integrity.make(key), integrity.icv)


class Truncated:
    """The front of a keyed function's output is the ICV."""

    __slots__ = ("_authenticate", "icv_length")

    def __init__(self, authenticate: Keyed, icv: int) -> None:
        self.icv_length = icv
        self._authenticate = authenticate

    def sign(self, data: bytes, iv: bytes | None = None) -> bytes:
        """The ICV. Raises LocalError when an IV is given."""
        if iv:
            raise LocalError(f"an IV of {len(iv)} bytes, the algorithm takes none")
        return self._authenticate(data)[: self.icv_length]

    def check(self, data: bytes, icv: bytes | memoryview) -> None:
        """Raise IntegrityFailed unless `icv` belongs to `data`."""
        if not compare_digest(self._authenticate(data)[: self.icv_length], icv):
            raise IntegrityFailed("the integrity check value is wrong")
