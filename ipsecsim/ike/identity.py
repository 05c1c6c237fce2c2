"""Identities: what an ID payload says and what a configuration expects (RFC 7296 3.5)."""

from dataclasses import dataclass

from ipsecsim.base.address import pack, unpack
from ipsecsim.wire.ike.numbers import IdType


@dataclass(frozen=True, slots=True)
class Identity:
    """A kind of name and its bytes. Two identities are equal only when both are."""

    id_type: int
    data: bytes

    @classmethod
    def from_text(cls, text: str) -> "Identity":
        """'192.0.2.1' is an address, 'carol@example' a mailbox, anything else a host name."""
        try:
            address = pack(text)
        except ValueError:
            kind = IdType.ID_RFC822_ADDR if "@" in text else IdType.ID_FQDN
            return cls(kind, text.encode())
        return cls(IdType.ID_IPV4_ADDR if len(address) == 4 else IdType.ID_IPV6_ADDR, address)

    def __str__(self) -> str:
        if self.id_type in (IdType.ID_IPV4_ADDR, IdType.ID_IPV6_ADDR) and len(self.data) in (4, 16):
            return unpack(self.data)
        return self.data.decode("utf-8", "backslashreplace")
