"""Identities: what an ID payload says and what a configuration expects (RFC 7296 3.5, RFC 4301 4.4.3.1)."""

from collections.abc import Callable
from dataclasses import dataclass

from ipsecsim.base.address import Prefix, pack, unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.visible import visible
from ipsecsim.wire import der
from ipsecsim.wire.distinguished_name import covers, from_text, is_below, parts, parts_of_text, to_text
from ipsecsim.wire.ike.identification import Identification
from ipsecsim.wire.ike.numbers import IdType
from ipsecsim.wire.reader import Malformed

ANY = "%any"
"""swanctl's word for whoever can prove who it is."""

LONGEST = 4096  # bytes; RFC 7296 3.5 sets no bound, and distinguished names may be long
LONGEST_NAME = 512  # bytes of a host name or a mailbox: twice what the DNS can hold

_ADDRESSES: dict[int, int] = {IdType.ID_IPV4_ADDR: 4, IdType.ID_IPV6_ADDR: 16}
_PREFIXES = {
    "fqdn:": IdType.ID_FQDN,
    "dns:": IdType.ID_FQDN,
    "email:": IdType.ID_RFC822_ADDR,
    "rfc822:": IdType.ID_RFC822_ADDR,
    "keyid:": IdType.ID_KEY_ID,
}
_KEY_ID_IN_HEX = "@#"
_BELOW = ", *"  # behind a distinguished name: it and all below it


@dataclass(frozen=True, slots=True)
class Identity:
    """A kind of name and its bytes. Two identities are equal only when both are."""

    id_type: int
    data: bytes

    @classmethod
    def from_text(cls, text: str) -> "Identity":
        """As swanctl.conf has it: '192.0.2.1', 'carol@example.org', 'O=a company, CN=moon', a host name.

        '@#0a0b' are the bytes of a key ID. A prefix such as 'keyid:' or 'email:' settles the kind.
        Raises ValueError for what no kind can mean.
        """
        for prefix, kind in _PREFIXES.items():
            if text.startswith(prefix):
                return cls(kind, text[len(prefix) :].encode())
        if text.startswith(_KEY_ID_IN_HEX):
            return cls(IdType.ID_KEY_ID, _hexadecimal(text[len(_KEY_ID_IN_HEX) :]))
        if text.startswith("asn1dn:") or "=" in text:
            return cls(IdType.ID_DER_ASN1_DN, from_text(text.removeprefix("asn1dn:")))
        try:
            address = pack(text)
        except ValueError:
            is_mailbox = "@" in text[1:]
            kind = IdType.ID_RFC822_ADDR if is_mailbox else IdType.ID_FQDN
            return cls(kind, text.removeprefix("@").encode())
        return cls(IdType.ID_IPV4_ADDR if len(address) == 4 else IdType.ID_IPV6_ADDR, address)

    @classmethod
    def of(cls, payload: Identification) -> "Identity":
        """What a payload says, whether it makes sense or not."""
        return cls(payload.id_type, payload.data)

    def check(self) -> None:
        """Raise Malformed (ID_MALFORMED, ID_TOO_LONG) when the bytes are no name of their kind."""
        is_name = self.id_type in (IdType.ID_FQDN, IdType.ID_RFC822_ADDR)
        if len(self.data) > (LONGEST_NAME if is_name else LONGEST):
            raise Malformed(f"an identity of {len(self.data)} bytes", DropReason.ID_TOO_LONG)
        length = _ADDRESSES.get(self.id_type)
        if length is not None and len(self.data) != length:
            raise _malformed(f"an address of {len(self.data)} bytes")
        if is_name:
            _check_name(self.data, is_host=self.id_type == IdType.ID_FQDN)
        elif self.id_type == IdType.ID_DER_ASN1_DN:
            parts(self.data)
        elif self.id_type == IdType.ID_DER_ASN1_GN:
            der.check(self.data, "general name", DropReason.ID_MALFORMED)
        elif not self.data and self.id_type != IdType.ID_NULL:
            raise _malformed("an identity without any bytes")

    def covers(self, other: "Identity") -> bool:
        """Is it the same name? Case does not count in host names, nor behind the @ of a mailbox."""
        if self.id_type != other.id_type:
            return False
        try:
            return _NORMAL.get(self.id_type, bytes)(self.data) == _NORMAL.get(other.id_type, bytes)(
                other.data
            )
        except Malformed:
            return False

    def __str__(self) -> str:
        if len(self.data) == _ADDRESSES.get(self.id_type):
            return unpack(self.data)
        if self.id_type == IdType.ID_DER_ASN1_DN:
            try:
                return visible(to_text(self.data))
            except Malformed:
                return self.data.hex()
        return visible(self.data.decode("utf-8", "backslashreplace"))


@dataclass(frozen=True, slots=True)
class IdentityPattern:
    """A group of peers: '*.example.org', '*@example.org', '10.1.0.0/24', 'O=a company, *', 'O=a company, CN=*'."""

    text: str
    covers: Callable[[Identity], bool]

    def __str__(self) -> str:
        return self.text


def expected(text: str) -> Identity | IdentityPattern | None:
    """Whom a text means: one peer, a group of them, or None for anybody. Raises ValueError for nobody."""
    if text == ANY:
        return None
    for read in (_names_below, _directory_below, _addresses_in):
        found = read(text)
        if found is not None:
            return IdentityPattern(text, found)
    return Identity.from_text(text)


def _names_below(text: str) -> Callable[[Identity], bool] | None:
    """'*.example.org' and '*@example.org': what stands behind the star must be the whole end of the name."""
    end = text[1:].lower().encode()
    if text[:2] not in ("*.", "*@"):
        return None
    kind = IdType.ID_FQDN if text[1] == "." else IdType.ID_RFC822_ADDR
    return lambda it: it.id_type == kind and len(it.data) > len(end) and it.data.lower().endswith(end)


def _directory_below(text: str) -> Callable[[Identity], bool] | None:
    plain = text.removeprefix("asn1dn:")
    if "=" not in plain or "*" not in plain:
        return None
    fits = is_below if plain.endswith(_BELOW) else covers
    pattern = parts_of_text(plain.removesuffix(_BELOW))

    def is_there(identity: Identity) -> bool:
        try:
            return identity.id_type == IdType.ID_DER_ASN1_DN and fits(pattern, parts(identity.data))
        except Malformed:
            return False

    return is_there


def _addresses_in(text: str) -> Callable[[Identity], bool] | None:
    first, dash, last = text.partition("-")
    try:
        if dash:
            low, high = pack(first.strip()), pack(last.strip())
        else:
            network = Prefix.parse(text)
            low, high = network.first, network.last
    except ValueError:
        return None
    if low == high:
        return None
    kind = IdType.ID_IPV4_ADDR if len(low) == 4 else IdType.ID_IPV6_ADDR
    return lambda it: it.id_type == kind and len(it.data) == len(low) and low <= it.data <= high


def _check_name(data: bytes, *, is_host: bool) -> None:
    """RFC 7296 3.5: no terminators; a host name is ASCII, a mailbox UTF-8."""
    try:
        text = data.decode("ascii" if is_host else "utf-8")
    except UnicodeDecodeError:
        raise _malformed("a name that is no text") from None
    if not text or not text.isprintable():
        raise _malformed("a name without letters, or with terminators")


def _hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"after {_KEY_ID_IN_HEX} stand pairs of hexadecimal digits") from None


def _malformed(why: str) -> Malformed:
    return Malformed(why, DropReason.ID_MALFORMED)


def _normal_mailbox(data: bytes) -> bytes:
    user, at, host = data.rpartition(b"@")
    return user + at + host.lower()


def _normal_directory(data: bytes) -> object:
    return [(each.type, " ".join(each.value.split()).casefold()) for each in parts(data)]


_NORMAL: dict[int, Callable[[bytes], object]] = {
    IdType.ID_FQDN: bytes.lower,
    IdType.ID_RFC822_ADDR: _normal_mailbox,
    IdType.ID_DER_ASN1_DN: _normal_directory,
}
