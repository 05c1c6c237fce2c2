"""Every algorithm there is, one row each. Numbers are IKEv2 transform IDs; words are those of swanctl.conf.

Nothing else in the program knows an algorithm by name: negotiation, keys, topologies and traces look here.
"""

from typing import NamedTuple

from ipsecsim.crypto.encryption_rows import ROWS as ENCRYPTION_ROWS
from ipsecsim.crypto.group_rows import ROWS as GROUP_ROWS
from ipsecsim.crypto.integrity_rows import INTEGRITY_ROWS, PRF_ROWS
from ipsecsim.crypto.rows import (
    AhSuite,
    Authentication,
    Encryption,
    EspSuite,
    Group,
    IkeSuite,
    Integrity,
    KeyPair,
    Prf,
    Protection,
    Status,
)

__all__ = [
    "AH_WORDS",
    "ENCRYPTION",
    "GROUPS",
    "INTEGRITY",
    "PRF",
    "WORDS",
    "AhSuite",
    "Authentication",
    "Encryption",
    "EspSuite",
    "Group",
    "IkeSuite",
    "Integrity",
    "KeyPair",
    "Meaning",
    "Prf",
    "Protection",
    "Status",
]

ENCRYPTION: dict[int, Encryption] = {row.id: row for row in ENCRYPTION_ROWS}
INTEGRITY: dict[int, Integrity] = {row.id: row for row in INTEGRITY_ROWS}
PRF: dict[int, Prf] = {row.id: row for row in PRF_ROWS}
GROUPS: dict[int, Group] = {row.id: row for row in GROUP_ROWS}


class Meaning(NamedTuple):
    """What a proposal word stands for: a row, and for ciphers the key size."""

    row: Encryption | Integrity | Prf | Group
    key_bits: int | None = None


WORDS: dict[str, Meaning] = (
    {
        word.format(bits=bits): Meaning(row, bits)
        for row in ENCRYPTION_ROWS
        for word in (row.word, *row.aliases)
        for bits in (row.key_bits if "{bits}" in word else row.key_bits[:1])
    }
    | {word: Meaning(row) for row in INTEGRITY_ROWS if not row.ah_only for word in (row.word, *row.aliases)}
    | {word: Meaning(row) for row in (*PRF_ROWS, *GROUP_ROWS) for word in (row.word, *row.aliases)}
)
"""Every proposal word of IKE and ESP, aliases included."""

AH_WORDS: dict[str, Meaning] = WORDS | {row.word: Meaning(row) for row in INTEGRITY_ROWS if row.ah_only}
"""The same for AH, where 'aes128gmac' is an integrity algorithm."""
