"""The Encrypted payload: seal payloads into a message and open it again (RFC 7296 3.14, RFC 5282, RFC 7383 2.5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import IkeSuite
from ipsecsim.crypto.protection import IntegrityFailed, Protection, make_protection
from ipsecsim.ike.errors import InvalidSyntax
from ipsecsim.ike.v2.keying.keys import IkeKeys
from ipsecsim.wire.ike.chain import emit_chain, parse_chain
from ipsecsim.wire.ike.encrypted import FRAGMENT_FIELDS, Encrypted, EncryptedFragment
from ipsecsim.wire.ike.generic import GENERIC_HEADER, Payload
from ipsecsim.wire.ike.header import HEADER_LENGTH, IkeHeader
from ipsecsim.wire.ike.numbers import PayloadType
from ipsecsim.wire.reader import Malformed


class EnvelopeBroken(RemoteError):
    """The integrity check of an SK payload failed: nothing inside may be believed."""

    reason = DropReason.SK_FAIL


@dataclass(frozen=True, slots=True)
class Content:
    """What is under a seal, without padding: the type of the first payload, and the bytes of all of them.

    `flags` are the critical bit and the reserved bits of the payload that carries it.
    """

    first_inner: int
    inner: bytes
    flags: int = 0


def seal(
    header: IkeHeader,
    payloads: Sequence[Payload],
    protection: Protection,
    *,
    iv: bytes | None = None,
    pad: bytes | None = None,
) -> bytes:
    """The whole message: header, SK payload header, IV, ciphertext, ICV.

    `iv` and `pad` are given only to repeat a recorded message; by default the IV is fresh and the padding as
    short as can be.
    """
    return seal_content(header, Content(*emit_chain(payloads)), protection, iv=iv, pad=pad)


def seal_content(
    header: IkeHeader,
    content: Content,
    protection: Protection,
    fragment_fields: bytes = b"",
    *,
    iv: bytes | None = None,
    pad: bytes | None = None,
) -> bytes:
    """A message with an SK payload, or with an SKF payload where there are `fragment_fields` (RFC 7383 2.5).

    The length fields are sealed too, so they are computed before the cipher runs.
    """
    if pad is None:
        pad = _padding(content, protection)
    plaintext = content.inner + pad + bytes([len(pad)])
    sealed_length = protection.iv_length + len(plaintext) + protection.icv_length
    payload_length = GENERIC_HEADER.size + len(fragment_fields) + sealed_length
    header.next_payload = PayloadType.SKF if fragment_fields else PayloadType.SK
    header.length = HEADER_LENGTH + payload_length
    aad = header.emit() + GENERIC_HEADER.pack(content.first_inner, 0, payload_length) + fragment_fields
    return aad + protection.seal(aad, plaintext, iv)


def _padding(content: Content, protection: Protection) -> bytes:
    """As little as the cipher's block asks for. It may be any value, and the pad length always stands behind it."""
    return bytes(-(len(content.inner) + 1) % protection.alignment)


def sealed_length(content: Content, protection: Protection) -> int:
    """How long the message with this content in an SK payload is."""
    plaintext = len(content.inner) + len(_padding(content, protection)) + 1
    around = HEADER_LENGTH + GENERIC_HEADER.size
    return around + protection.iv_length + plaintext + protection.icv_length


def open(message: bytes, envelope: Encrypted, protection: Protection) -> list[Payload]:  # noqa: A001 - the RFC's verb
    """The payloads inside `envelope`, the last payload of `message`. Raises EnvelopeBroken, InvalidSyntax."""
    return read(unseal(message, envelope, protection))


def unseal(message: bytes, envelope: Encrypted | EncryptedFragment, protection: Protection) -> Content:
    """What is inside `envelope`, the last payload of `message`. Raises EnvelopeBroken, InvalidSyntax."""
    sealed_at = len(message) - len(envelope.body)
    fields = FRAGMENT_FIELDS.size if isinstance(envelope, EncryptedFragment) else 0
    flags = message[sealed_at - fields - GENERIC_HEADER.size + 1]
    if len(envelope.body) < protection.iv_length + protection.icv_length + 1:
        raise EnvelopeBroken("the Encrypted payload is too short for IV, pad length and ICV")
    try:
        plaintext = protection.open(message[:sealed_at], envelope.body)
    except IntegrityFailed as broken:
        raise EnvelopeBroken("the Encrypted payload's integrity check failed") from broken
    try:
        return Content(envelope.first_inner, strip_padding(plaintext), flags)
    except Malformed as wrong:
        raise InvalidSyntax(str(wrong), wrong.reason) from wrong


def read(content: Content) -> list[Payload]:
    """The payloads. Raises InvalidSyntax when they make no sense.

    Only then, and only because the peer itself must have written it, is it told so (RFC 7296 3.10.1).
    """
    try:
        return parse_chain(content.first_inner, content.inner)
    except Malformed as wrong:
        raise InvalidSyntax(str(wrong), wrong.reason) from wrong


def strip_padding(plaintext: bytes) -> bytes:
    """Take the padding off; its contents are not looked at (RFC 7296 3.14)."""
    if not plaintext:
        raise Malformed("nothing inside the Encrypted payload", DropReason.INVALID_SYNTAX)
    pad_length = plaintext[-1]
    if pad_length >= len(plaintext):
        raise Malformed(f"pad length {pad_length} in {len(plaintext)} bytes", DropReason.INVALID_SYNTAX)
    return plaintext[: len(plaintext) - 1 - pad_length]


def ciphers(suite: IkeSuite, keys: IkeKeys, *, is_initiator: bool) -> tuple[Protection, Protection]:
    """The keyed objects that seal what we send and open what we receive (RFC 7296 2.14)."""

    def protection(encryption_key: bytes, integrity_key: bytes) -> Protection:
        return make_protection(
            suite.encryption, suite.key_bits, encryption_key, suite.integrity, integrity_key
        )

    from_initiator, from_responder = (
        protection(keys.sk_ei, keys.sk_ai),
        protection(keys.sk_er, keys.sk_ar),
    )
    return (from_initiator, from_responder) if is_initiator else (from_responder, from_initiator)
