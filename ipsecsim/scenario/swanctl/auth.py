"""How a side proves who it is, in swanctl's words: psk, pubkey, rsa/pss-sha256, ecdsa-sha384, ed25519."""

from dataclasses import dataclass

from ipsecsim.crypto.signatures import SIGNATURES, SignatureScheme
from ipsecsim.ike.config import AuthKind
from ipsecsim.scenario.not_yet import AUTH_LATER
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.swanctl.parse import NotYet

FAMILIES: dict[str, tuple[SignatureScheme, ...]] = {"pubkey": SIGNATURES} | {
    family: tuple(row for row in SIGNATURES if row.word.split("-")[0] == family)
    for family in dict.fromkeys(row.word.split("-")[0] for row in SIGNATURES)
}
"""Signatures by the word that stands for all of a family; 'pubkey' for every one there is."""

HASH_WORDS = tuple(dict.fromkeys(row.word.split("-")[1] for row in SIGNATURES if "-" in row.word))
AUTH_WORDS = ("psk", *FAMILIES, *AUTH_LATER)
_FOR_IKE = "ike:"  # strongSwan tells so what is meant for AUTH from what is meant for certificates


@dataclass(frozen=True, slots=True)
class AuthWords:
    """What a text asks for. `schemes` are best first, and empty for a shared secret."""

    kind: AuthKind
    schemes: tuple[SignatureScheme, ...] = ()


def auth_words(text: str) -> AuthWords:
    """'psk', or families of signatures, each narrowed by hashes behind it. Raises Mistake, NotYet."""
    if text == "psk":
        return AuthWords(AuthKind.PSK)
    if text in AUTH_LATER:
        raise NotYet(f"auth: {text}")
    found: list[SignatureScheme] = []
    family: tuple[SignatureScheme, ...] = ()
    narrowed: list[SignatureScheme] = []
    offset = 0
    for part in text.split("-"):
        word = part.removeprefix(_FOR_IKE)
        if word in FAMILIES:
            found += narrowed or family
            family, narrowed = FAMILIES[word], []
        elif word in HASH_WORDS and family:
            narrowed += [row for row in family if row.word.endswith(f"-{word}")]
        else:
            _refuse(text, word, offset + len(part) - len(word))
        offset += len(part) + 1
    found += narrowed or family
    return AuthWords(AuthKind.PUBKEY, tuple(dict.fromkeys(found)))


def _refuse(text: str, word: str, offset: int) -> None:
    if word.isdigit():
        raise NotYet("the strength of keys in auth:", offset)
    if word in HASH_WORDS:
        raise Mistake(f"'{word}' narrows a family of signatures; write for example ecdsa-{word}", offset)
    raise Mistake(f"unknown way to prove oneself: '{text}'{did_you_mean(word, AUTH_WORDS)}", offset)
