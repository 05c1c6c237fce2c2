"""HMAC over the SHA-2 family, keyed once (RFC 4868). What uses it decides how much of the output it keeps."""

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes, hmac

from ipsecsim.crypto.rows import Keyed


def _maker(algorithm: hashes.HashAlgorithm) -> Callable[[bytes], Keyed]:
    def make(key: bytes) -> Keyed:
        keyed = hmac.HMAC(key, algorithm).copy  # a copy skips hashing the key again

        def authenticate(data: bytes) -> bytes:
            running = keyed()
            running.update(data)
            return running.finalize()

        return authenticate

    return make


hmac_sha256 = _maker(hashes.SHA256())
hmac_sha384 = _maker(hashes.SHA384())
hmac_sha512 = _maker(hashes.SHA512())
