"""Proposal words that the catalogue has no row for, and what to say about each."""

from ipsecsim.crypto.catalogue import WORDS

DOCUMENTED: frozenset[str] = frozenset(
    ["blowfish128", "blowfish", "cast128", "mlkem512", "mlkem768", "mlkem1024"]
)
"""Words the language has, for algorithms that may have no row yet. A row in the catalogue wins."""

ELSEWHERE: tuple[str, ...] = (
    *("serpent", "twofish", "ntru", "bike", "frodo", "hqc", "kyber", "saber", "sike", "newhope"),
    *("camelliaxcbc", "prfcamelliaxcbc", "modpnull"),
)
"""How words begin that strongSwan has (or had) and this simulator never will."""

_GROUPS = (
    "1 modp768, 2 modp1024, 5 modp1536, 14 modp2048, 15 modp3072, 16 modp4096, 17 modp6144, 18 modp8192, "
    "19 ecp256, 20 ecp384, 21 ecp521, 22 modp1024s160, 23 modp2048s224, 24 modp2048s256, 25 ecp192, "
    "26 ecp224, 27 ecp224bp, 28 ecp256bp, 29 ecp384bp, 30 ecp512bp, 31 x25519, 32 x448"
)
_OTHERS = (
    "p256 ecp256, p384 ecp384, p521 ecp521, secp256r1 ecp256, secp384r1 ecp384, secp521r1 ecp521, "
    "nistp256 ecp256, chacha20 chacha20poly1305, chachapoly chacha20poly1305, tripledes 3des, "
    "hmacsha1 sha1, hmacsha256 sha256, hmacsha384 sha384, hmacsha512 sha512, aesgcm128 aes128gcm16, "
    "aesgcm192 aes192gcm16, aesgcm256 aes256gcm16, aescbc128 aes128, aescbc192 aes192, aescbc256 aes256, "
    "aes128cbc aes128, aes192cbc aes192, aes256cbc aes256"
)


def _table(text: str) -> dict[str, str]:
    """'a b, c d' as a dict."""
    return dict(pair.split() for pair in text.split(", "))


VENDOR: dict[str, str] = _table(_OTHERS) | {f"group{n}": word for n, word in _table(_GROUPS).items()}
"""What other vendors call an algorithm. Also taken with 'dh' before the group's number."""

CONTROL = ("none", "modpnone", "esn", "noesn", "default")


def vendor_word(word: str) -> str | None:
    """Our word for another vendor's, or None."""
    if word.startswith("dh") and word[2:].isdigit():
        word = f"group{word[2:]}"
    return VENDOR.get(word)


def known_words() -> list[str]:
    """Every word that may stand in a proposal, for 'did you mean'."""
    return [*WORDS, *sorted(DOCUMENTED), *CONTROL]
