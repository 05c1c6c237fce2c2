"""Proposals in swanctl's words, every alias accepted: 'aes256gcm16-prfsha384-ecp384' as catalogue rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ipsecsim.crypto.catalogue import (
    AH_WORDS,
    PRF,
    WORDS,
    AhSuite,
    Encryption,
    EspSuite,
    Group,
    Integrity,
    Meaning,
    Prf,
)
from ipsecsim.ike.config import AdditionalGroups, AhProposal, EspProposal, IkeProposal
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.swanctl.words import CONTROL, DOCUMENTED, ELSEWHERE, known_words, vendor_word

DEFAULT_IKE = "aes256gcm16-prfsha256-x25519"
DEFAULT_ESP = "aes256gcm16"
DEFAULT_AH = "sha256"

_VENDOR_AES = re.compile(r"aes-(128|192|256)(?:-(gcm|ccm|cbc))?")
_ADDITIONAL = re.compile(r"ke([1-7])_(.+)")


class NotYet(Mistake):
    """The text is right, but what it asks for is not there yet."""


@dataclass(slots=True)
class _Parts:
    """The words of one proposal, sorted by what they choose. Offsets are of the first word of a type."""

    text: str
    encryption: list[tuple[Encryption, int]] = field(default_factory=list)
    integrity: list[Integrity] = field(default_factory=list)
    prf: list[Prf] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    without_group: bool = False
    additional: dict[int, list[Group | None]] = field(default_factory=dict)
    extended_sequence: list[bool] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    later: tuple[str, int] | None = None
    """A word that is documented but has no row yet, and its offset."""

    @property
    def aead(self) -> bool:
        """True when the ciphers bring their own integrity check."""
        return any(row.combined for row, _ in self.encryption)

    @property
    def cipher(self) -> str:
        """The first cipher's canonical word."""
        row, bits = self.encryption[0]
        return row.word_for(bits)


def ike_proposal(text: str) -> IkeProposal:
    """One IKE proposal. Raises Mistake, or NotYet for an algorithm that has no row yet."""
    if text == "default":
        text = DEFAULT_IKE
    parts = _sort(text)
    _refuse_later(parts)
    _no_esn(parts)
    _check_ciphers(parts, "IKE")
    _check_fit_for_ike(parts)
    group = parts.groups[0].word if parts.groups else "x25519"
    implied = _implied(parts)
    if parts.aead and parts.integrity:
        wanted = implied[0].word if implied else "prfsha256"
        found = parts.first["integrity"]
        raise Mistake(
            f"{parts.cipher} brings its own integrity; write '{wanted}' in place of '{found}'",
            parts.offsets["integrity"],
        )
    if parts.aead and not parts.prf:
        raise Mistake(f"IKE with {parts.cipher} needs a PRF word; write {parts.cipher}-prfsha256-{group}")
    if not parts.aead and not parts.integrity:
        raise Mistake(f"IKE with {parts.cipher} needs an integrity word; write {parts.cipher}-sha256-{group}")
    if not parts.groups:
        raise Mistake(f"IKE needs a key exchange word; write {text}-x25519")
    prf = parts.prf or implied
    words = [row.word_for(bits) for row, bits in parts.encryption]
    words += [row.word for row in parts.integrity]
    words += [row.word for row in prf if prf != implied]
    words += [row.word for row in parts.groups] + _additional_words(parts)
    return IkeProposal(
        tuple(parts.encryption),
        tuple(parts.integrity),
        tuple(prf),
        tuple(parts.groups),
        "-".join(words),
        _additional(parts),
    )


def esp_proposal(text: str) -> EspProposal:
    """One ESP proposal; a key exchange word asks for a fresh exchange at each rekey."""
    if text == "default":
        text = DEFAULT_ESP
    parts = _sort(text)
    _check_additional(parts)
    _refuse_later(parts)
    _check_ciphers(parts, "ESP")
    _no_prf(parts)
    if parts.aead and parts.integrity:
        word = parts.first["integrity"]
        raise Mistake(
            f"{parts.cipher} brings its own integrity; take '{word}' out", parts.offsets["integrity"]
        )
    if not parts.aead and not parts.integrity:
        raise Mistake(f"{parts.cipher} {_without_integrity(parts)}; write {parts.cipher}-sha256")
    words = [row.word_for(bits) for row, bits in parts.encryption]
    words += [row.word for row in parts.integrity]
    words += [row.word for row in parts.groups] + _additional_words(parts) + _esn_words(parts)
    return EspProposal(
        tuple(parts.encryption),
        tuple(parts.integrity),
        tuple(parts.groups),
        "-".join(words),
        _extended_sequence(parts),
        _additional(parts),
    )


def ah_proposal(text: str) -> AhProposal:
    """One AH proposal: integrity, and if you like a key exchange and whether sequence numbers are extended."""
    parts = _sort(DEFAULT_AH if text == "default" else text, AH_WORDS)
    _check_ah(parts)
    _check_additional(parts)
    _refuse_later(parts)
    words = [row.word for row in parts.integrity]
    words += [row.word for row in parts.groups] + _additional_words(parts) + _esn_words(parts)
    return AhProposal(
        tuple(parts.integrity),
        tuple(parts.groups),
        "-".join(words),
        _extended_sequence(parts),
        _additional(parts),
    )


def _check_ah(parts: _Parts) -> None:
    if parts.encryption:
        raise Mistake(f"AH does not encrypt: take '{parts.first['encryption']}' out of ah_proposals")
    _no_prf(parts)
    if not parts.integrity and parts.later is None:
        raise Mistake(f"AH needs an integrity word; write sha256 before '{parts.text}'")


def esp_suite(text: str) -> tuple[EspSuite, bool]:
    """The one ESP suite that an SA by hand has, and whether its sequence numbers are extended.

    Encryption alone is let through: whoever writes keys by hand is here to see what comes of it.
    """
    parts = _sort(DEFAULT_ESP if text == "default" else text)
    _refuse_later(parts)
    _check_ciphers(parts, "ESP")
    _check_single(parts)
    if parts.aead and parts.integrity:
        word = parts.first["integrity"]
        raise Mistake(
            f"{parts.cipher} brings its own integrity; take '{word}' out", parts.offsets["integrity"]
        )
    cipher, bits = parts.encryption[0]
    if bits == 0 and not parts.integrity and not cipher.combined:
        # RFC 4303 5 wants both to be possible, but RFC 4301 4.2 never at once
        raise Mistake(
            f"{parts.cipher} without integrity protects nothing (RFC 4301 4.2); write {parts.cipher}-sha256"
        )
    integrity = parts.integrity[0] if parts.integrity else None
    return EspSuite(cipher, bits, integrity), _extended_sequence(parts)[0]


def ah_suite(text: str) -> tuple[AhSuite, bool]:
    """The one AH suite that an SA by hand has, and whether its sequence numbers are extended."""
    parts = _sort(DEFAULT_AH if text == "default" else text, AH_WORDS)
    _check_ah(parts)
    _refuse_later(parts)
    _check_single(parts)
    return AhSuite(parts.integrity[0]), _extended_sequence(parts)[0]


def _check_single(parts: _Parts) -> None:
    """Nobody negotiates for an SA by hand: there is nothing to choose from, and no key exchange."""
    _no_prf(parts)
    for kind in ("groups", "additional"):
        if kind in parts.first:
            word = parts.first[kind]
            raise Mistake(f"keys by hand come from no key exchange; take '{word}' out", parts.offsets[kind])
    if max(len(parts.encryption), len(parts.integrity), len(parts.extended_sequence)) > 1:
        raise Mistake(f"keys by hand fit one algorithm, and '{parts.text}' leaves a choice")


def _check_additional(parts: _Parts) -> None:
    """Further key exchanges come after a first one."""
    if parts.additional and not parts.groups:
        word = parts.first["additional"]
        raise Mistake(
            f"'{word}' needs a first key exchange; write x25519 before it", parts.offsets["additional"]
        )


def _refuse_later(parts: _Parts) -> None:
    if parts.later is not None:
        word, offset = parts.later
        raise NotYet(f"'{word}' in a proposal", offset)


def _no_esn(parts: _Parts) -> None:
    for word in ("esn", "noesn"):
        if word in parts.offsets:
            raise Mistake(
                f"sequence numbers belong to ESP and AH proposals only; take '{word}' out",
                parts.offsets[word],
            )


def _extended_sequence(parts: _Parts) -> tuple[bool, ...]:
    """Whether sequence numbers may be extended; a proposal that does not say means that they are not."""
    return tuple(parts.extended_sequence) or (False,)


def _esn_words(parts: _Parts) -> list[str]:
    """The words for that, where the proposal must say it."""
    if _extended_sequence(parts) == (False,):
        return []
    return ["esn" if extended else "noesn" for extended in parts.extended_sequence]


def _no_prf(parts: _Parts) -> None:
    if parts.prf:
        raise Mistake(
            f"a PRF belongs to IKE proposals only; take '{parts.first['prf']}' out", parts.offsets["prf"]
        )


def _check_ciphers(parts: _Parts, protocol: str) -> None:
    if not parts.encryption:
        raise Mistake(f"the proposal '{parts.text}' has no cipher; {protocol} needs one, such as aes256gcm16")
    if len({row.combined for row, _ in parts.encryption}) > 1:
        raise Mistake(
            f"'{parts.text}' mixes AEAD and classic ciphers; "
            "RFC 7296 3.3 wants them in two proposals, separated by a comma"
        )


def _check_fit_for_ike(parts: _Parts) -> None:
    for row, bits in parts.encryption:
        if row.esp_only:
            raise Mistake(f"{row.word_for(bits)} is for ESP only (RFC {row.rfc}); IKE may use aes256gcm16")


def _implied(parts: _Parts) -> list[Prf]:
    """The PRFs that the integrity words of an IKE proposal mean where it names none."""
    found = [PRF.get(row.prf) for row in parts.integrity]
    return list(dict.fromkeys(row for row in found if row is not None))


def _without_integrity(parts: _Parts) -> str:
    if parts.encryption[0][1] == 0:
        return "without integrity protects nothing (RFC 4301 4.2)"
    return "without integrity is broken (RFC 8221 4)"


def _sort(text: str, words: Mapping[str, Meaning] = WORDS) -> _Parts:
    """The words of a proposal by type, each looked up."""
    parts = _Parts(text)
    offset = 0
    seen: set[str] = set()
    for word in text.split("-"):
        if word and word in seen:
            raise Mistake(f"'{word}' stands twice in one proposal", offset)
        seen.add(word)
        _take(word, words.get(word), offset, parts)
        offset += len(word) + 1
    return parts


def _take(word: str, meaning: Meaning | None, offset: int, parts: _Parts) -> None:
    if meaning is None:
        _take_other(word, offset, parts)
        return
    row = meaning.row
    if isinstance(row, Encryption):
        kind = "encryption"
        parts.encryption.append((row, meaning.key_bits or row.key_bits[0]))
    elif isinstance(row, Integrity):
        kind = "integrity"
        parts.integrity.append(row)
    elif isinstance(row, Prf):
        kind = "prf"
        parts.prf.append(row)
    else:
        kind = "groups"
        parts.groups.append(row)
    parts.offsets.setdefault(kind, offset)
    parts.first.setdefault(kind, word)


def _take_other(word: str, offset: int, parts: _Parts) -> None:
    """A word without a row: a switch, or a reason to refuse the proposal."""
    if word in ("none", "modpnone"):
        parts.without_group = True
        return
    if word in ("esn", "noesn"):
        parts.extended_sequence.append(word == "esn")
        parts.offsets[word] = offset
        return
    if word != word.lower():
        raise Mistake(f"proposal words are small letters; write '{word.lower()}'", offset)
    if word == "default":
        raise Mistake("'default' stands alone, or between commas", offset)
    additional = _ADDITIONAL.fullmatch(word)
    algorithm = additional[2] if additional else word
    if algorithm in DOCUMENTED:
        parts.later = parts.later or (word, offset)
        return
    if additional is not None and _take_additional(int(additional[1]), algorithm, parts):
        parts.offsets.setdefault("additional", offset)
        parts.first.setdefault("additional", word)
        return
    if word.startswith(ELSEWHERE):
        raise Mistake(f"'{word}' is known to strongSwan but not implemented here", offset)
    _refuse(word, offset, parts)


def _take_additional(number: int, algorithm: str, parts: _Parts) -> bool:
    """An additional key exchange (RFC 9370), or none as a choice. False when the word is no such thing."""
    row = WORDS[algorithm].row if algorithm in WORDS else None
    if row is not None and not isinstance(row, Group):
        return False
    if row is None and algorithm not in ("none", "modpnone"):
        return False
    parts.additional.setdefault(number, []).append(row)
    return True


def _additional(parts: _Parts) -> AdditionalGroups:
    return tuple((number, tuple(groups)) for number, groups in sorted(parts.additional.items()))


def _additional_words(parts: _Parts) -> list[str]:
    return [
        f"ke{number}_{group.word if group else 'none'}"
        for number, groups in _additional(parts)
        for group in groups
    ]


def _refuse(word: str, offset: int, parts: _Parts) -> None:
    ours = vendor_word(word)
    if ours is not None:
        raise Mistake(f"'{word}' is another vendor's word; write '{ours}'", offset)
    if word in ("gcm", "cbc", "ccm") and "encryption" in parts.first:
        before = parts.first["encryption"]
        ours = {"gcm": f"{before}gcm16", "ccm": f"{before}ccm16"}.get(word, before)
        raise Mistake(f"'{before}-{word}' is another vendor's word; write '{ours}'", 0)
    spelled = _VENDOR_AES.match(parts.text)
    if spelled is not None and parts.first.get("encryption") == "aes":
        # openssl's way: aes-256-gcm, aes-128-cbc
        mode = {"gcm": "gcm16", "ccm": "ccm16"}.get(spelled[2] or "", "")
        raise Mistake(f"'{spelled[0]}' is another vendor's word; write 'aes{spelled[1]}{mode}'", 0)
    if word in ("128", "192", "256") and parts.first.get("encryption") == "aes":
        raise Mistake(f"'aes-{word}' is another vendor's word; write 'aes{word}'", offset - 4)
    if word.isdigit() and parts.text[: offset - 1].endswith("sha"):
        raise Mistake(f"'sha-{word}' is another vendor's word; write 'sha{word}'", offset - 4)
    if not word:
        raise Mistake(f"a word is missing beside '-' in proposal '{parts.text}'", offset)
    known = [known for known in known_words() if known not in CONTROL] + ["esn", "noesn"]
    raise Mistake(f"unknown algorithm '{word}' in proposal '{parts.text}'{did_you_mean(word, known)}", offset)
