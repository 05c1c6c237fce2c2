"""The shape of a catalogue row, and what its maker gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ipsecsim.base.entropy import Entropy


class Status(Enum):
    """What the standards think of an algorithm today, best first (RFC 8221, RFC 8247)."""

    CURRENT = "current"
    WEAK = "weak"  # SHOULD NOT
    BROKEN = "broken"  # MUST NOT


Keyed = Callable[[bytes], bytes]
"""A keyed function: data in, full output out."""


class Protection(Protocol):
    """Seals and opens the packets of one direction of one SA. Built once, used for every packet."""

    combined: bool
    """True when one algorithm both encrypts and authenticates."""
    iv_length: int
    """Of the IV on the wire: 0 where there is none, or where both ends know it."""
    icv_length: int
    alignment: int
    """The plaintext's length must be a multiple of this: the cipher's block, 1 where it has none."""

    def seal(self, aad: bytes, plaintext: bytes, iv: bytes | None = None, behind: bytes = b"") -> bytes:
        """IV | ciphertext | ICV. The caller has padded `plaintext`; `iv` is given only to repeat a recording.

        `behind` is authenticated after the ciphertext and never sent: the high half of an extended sequence
        number (RFC 4303 2.2.1). A combined cipher takes it in the AAD instead, and none here (RFC 4106 5).
        Raises LocalError when the plaintext is no multiple of `alignment` or the IV has another length.
        """
        ...

    def open(self, aad: bytes, sealed: bytes | memoryview, behind: bytes = b"") -> bytes:
        """The plaintext, padding and all. Raises IntegrityFailed, and then has told nothing about it."""
        ...

    def expected_icv(self, aad: bytes, sealed: bytes, behind: bytes = b"") -> bytes:
        """The ICV that these bytes should have; empty when they are too short for one.

        For those who look on: who receives must never tell it, it would help a forger.
        """
        ...


class Authentication(Protocol):
    """Signs and checks the packets of one direction of one AH SA. Built once, used for every packet.

    The ICV field of a packet is the IV, where the algorithm needs one, and the ICV (RFC 4543 4).
    """

    iv_length: int
    """0 for all but GMAC."""
    icv_length: int
    """Of the whole ICV field, IV included."""

    def fresh_iv(self) -> bytes:
        """An IV that this key has not seen, empty when the algorithm needs none."""
        ...

    def sign(self, data: bytes, iv: bytes = b"") -> bytes:
        """The ICV field for `data`; it begins with `iv`. Raises LocalError for an IV of another length."""
        ...

    def check(self, data: bytes, icv: bytes | memoryview) -> None:
        """Raise IntegrityFailed unless the field `icv` belongs to `data`."""
        ...


class KeyPair(Protocol):
    """One side's half of a key exchange."""

    public: bytes
    """The value as it stands in the KE payload."""

    def shared_secret(self, peer_public: bytes) -> bytes:
        """The common secret. Raises InvalidPublicValue for anything that is no member of the group."""
        ...


class KeyPairMaker(Protocol):
    """Makes the key pairs of one group."""

    def __call__(self, entropy: Entropy) -> KeyPair:
        """A fresh pair."""
        ...

    def from_private(self, private: bytes) -> KeyPair:
        """The pair of a known private key, big-endian (for X25519: as RFC 7748 writes it)."""
        ...


class ProtectionMaker(Protocol):
    """Builds the Protection of an encryption row from key material."""

    def __call__(self, row: "Encryption", key: bytes, authenticate: Keyed | None, icv: int) -> Protection:
        """`key` ends in the salt, if any; `authenticate`, cut to `icv` bytes, is for classic ciphers."""
        ...


@dataclass(frozen=True, slots=True)
class Encryption:
    """An encryption transform. Lengths in bytes, except `key_bits`: the sizes one may choose from.

    `salt` is what KEYMAT holds behind the key; `iv` is the length on the wire. A cipher of no key encrypts nothing.
    In `word` and `aliases` {bits} stands for the key size; an alias without it means the smallest.
    """

    id: int
    name: str
    word: str
    key_bits: tuple[int, ...]
    salt: int
    iv: int
    icv: int
    block: int
    make: ProtectionMaker
    status: Status
    rfc: int
    aliases: tuple[str, ...] = ()
    esp_only: bool = False
    """True when IKE must not use it for its own messages."""
    encrypts: bool = True
    """False when it only authenticates, or does nothing at all: what it seals can be read."""

    @property
    def combined(self) -> bool:
        """True when the cipher brings its own integrity check."""
        return self.icv > 0

    @property
    def has_key_length_attribute(self) -> bool:
        """True when a proposal must name the key size; a cipher with one size must not (RFC 7296 3.3.5)."""
        return len(self.key_bits) > 1

    def word_for(self, key_bits: int) -> str:
        """The proposal word of one key size: 'aes256gcm16'."""
        return self.word.format(bits=key_bits)


@dataclass(frozen=True, slots=True)
class Integrity:
    """An integrity transform: an ICV of `icv` bytes, cut from the front of the keyed function's output.

    `prf` is the transform ID of the pseudo-random function that a proposal means when it names none; 0: none.
    Where `iv` is not 0, so long an IV stands before the ICV in the packet, and before what is signed.
    """

    id: int
    name: str
    word: str
    key_length: int
    icv: int
    prf: int
    make: Callable[[bytes], Keyed] = field(repr=False)
    status: Status
    rfc: int
    aliases: tuple[str, ...] = ()
    iv: int = 0
    ah_only: bool = False
    """True when neither ESP nor IKE may use it."""


@dataclass(frozen=True, slots=True)
class Prf:
    """A pseudo-random function of IKE: preferred key length and output length in bytes (RFC 7296 2.13).

    `nonce_octets`: one whose key has a fixed length takes so many of each nonce for SKEYSEED (RFC 7296 2.14);
    0 means all of them.
    """

    id: int
    name: str
    word: str
    key_length: int
    output: int
    make: Callable[[bytes], Keyed] = field(repr=False)
    status: Status
    rfc: int
    aliases: tuple[str, ...] = ()
    nonce_octets: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A key exchange method: `public_length` is the length of the KE payload's data in bytes."""

    id: int
    name: str
    word: str
    public_length: int
    make: KeyPairMaker = field(repr=False)
    status: Status
    rfc: int
    aliases: tuple[str, ...] = ()

    def from_private(self, private: bytes) -> KeyPair:
        """The key pair of a known private key, for published numbers and recordings."""
        return self.make.from_private(private)


@dataclass(frozen=True, slots=True)
class EspSuite:
    """The algorithms of one ESP SA."""

    encryption: Encryption
    key_bits: int
    integrity: Integrity | None = None

    @property
    def is_authenticated(self) -> bool:
        """True when a forged packet does not get through: by the cipher itself, or an integrity algorithm."""
        return self.encryption.combined or self.integrity is not None

    @property
    def status(self) -> Status:
        """That of the worst part. Encryption alone is broken, whatever the cipher (RFC 8221 4)."""
        if not self.is_authenticated:
            return Status.BROKEN
        return _worst(self.encryption, self.integrity)

    @property
    def encryption_key_length(self) -> int:
        """Bytes to cut from KEYMAT for the cipher, salt included."""
        return self.key_bits // 8 + self.encryption.salt

    @property
    def integrity_key_length(self) -> int:
        """Bytes to cut from KEYMAT for the integrity check; 0 when the cipher does it."""
        return 0 if self.integrity is None else self.integrity.key_length

    @property
    def words(self) -> str:
        """As strongSwan writes the proposal: 'aes256gcm16', 'aes128-sha256'."""
        cipher = self.encryption.word_for(self.key_bits)
        return cipher if self.integrity is None else f"{cipher}-{self.integrity.word}"


@dataclass(frozen=True, slots=True)
class AhSuite:
    """The algorithm of one AH SA."""

    integrity: Integrity

    @property
    def status(self) -> Status:
        """That of the algorithm."""
        return self.integrity.status

    @property
    def encryption_key_length(self) -> int:
        """0: AH does not encrypt."""
        return 0

    @property
    def integrity_key_length(self) -> int:
        """Bytes to cut from KEYMAT."""
        return self.integrity.key_length

    @property
    def words(self) -> str:
        """As strongSwan writes the proposal: 'sha256'."""
        return self.integrity.word


def _worst(*parts: Encryption | Integrity | None) -> Status:
    return max((part.status for part in parts if part is not None), key=list(Status).index)


@dataclass(frozen=True, slots=True)
class IkeSuite:
    """The algorithms of one IKE SA."""

    encryption: Encryption
    key_bits: int
    integrity: Integrity | None
    prf: Prf
    group: Group
    additional: tuple[tuple[int, Group], ...] = ()
    """Further key exchanges, by number from 1 to 7 (RFC 9370)."""

    @property
    def encryption_key_length(self) -> int:
        """Length of SK_ei and SK_er in bytes, salt included (RFC 5282 7.1)."""
        return self.key_bits // 8 + self.encryption.salt

    @property
    def integrity_key_length(self) -> int:
        """Length of SK_ai and SK_ar in bytes; 0 when the cipher does it."""
        return 0 if self.integrity is None else self.integrity.key_length

    @property
    def words(self) -> str:
        """As strongSwan writes the proposal: the prf is left out where the integrity word implies it."""
        parts = [self.encryption.word_for(self.key_bits)]
        if self.integrity is not None:
            parts.append(self.integrity.word)
        if self.integrity is None or self.integrity.prf != self.prf.id:
            parts.append(self.prf.word)
        parts.append(self.group.word)
        parts += [f"ke{number}_{group.word}" for number, group in self.additional]
        return "-".join(parts)
