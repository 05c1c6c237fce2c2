import pytest

from ipsecsim.crypto.catalogue import (
    ENCRYPTION,
    GROUPS,
    INTEGRITY,
    PRF,
    WORDS,
    Encryption,
    Group,
    Integrity,
    Prf,
    Status,
)
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.swanctl.parse import NotYet, ah_proposal, esp_proposal, ike_proposal
from ipsecsim.scenario.swanctl.words import DOCUMENTED, VENDOR


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_catalogue_is_read_and_printed_in_its_first_form(word):
    row = WORDS[word].row
    if isinstance(row, Group):
        assert ike_proposal(f"aes128-sha256-{word}").words == f"aes128-sha256-{row.word}"
    elif isinstance(row, Prf):
        assert ike_proposal(f"aes128gcm16-{word}-x25519").prf == (row,)
    elif isinstance(row, Integrity):
        assert esp_proposal(f"aes128-{word}").words == f"aes128-{row.word}"
    elif row.combined:
        assert esp_proposal(word).encryption == ((row, WORDS[word].key_bits),)
    else:
        assert esp_proposal(f"{word}-sha256").encryption == ((row, WORDS[word].key_bits),)


def test_a_classic_ike_proposal_takes_its_prf_from_the_integrity_word():
    proposal = ike_proposal("aes256-sha384-modp2048")
    assert proposal.prf == (PRF[6],)
    assert proposal.words == "aes256-sha384-modp2048"
    assert ike_proposal("aes256-sha384-prfsha256-modp2048").words == "aes256-sha384-prfsha256-modp2048"


def test_a_proposal_may_offer_several_algorithms_of_a_kind():
    proposal = ike_proposal("aes256-aes128-sha256-sha512-ecp256-x25519")
    assert [bits for _, bits in proposal.encryption] == [256, 128]
    assert [row.word for row in (*proposal.integrity, *proposal.groups)] == [
        "sha256",
        "sha512",
        "ecp256",
        "x25519",
    ]
    assert proposal.words == "aes256-aes128-sha256-sha512-ecp256-x25519"


@pytest.mark.conf("ALG-02")
def test_default_is_a_current_suite():
    ike, esp = ike_proposal("default"), esp_proposal("default")
    assert ike.words == "aes256gcm16-prfsha256-x25519"
    assert esp.words == "aes256gcm16"
    rows = [row for row, _ in (*ike.encryption, *esp.encryption)] + [*ike.prf, *ike.groups]
    assert {row.status for row in rows} == {Status.CURRENT}


def test_an_esp_proposal_may_ask_for_a_fresh_exchange_at_rekey():
    proposal = esp_proposal("chacha20poly1305-ecp384-noesn")
    assert proposal.encryption[0][0] is ENCRYPTION[28]
    assert proposal.groups == (GROUPS[20],)
    assert esp_proposal("aes128gcm16-none").groups == ()
    assert proposal.words == "chacha20poly1305-ecp384"


@pytest.mark.parametrize("word", sorted(DOCUMENTED - set(WORDS)))
def test_documented_words_without_a_row_come_later(word):
    with pytest.raises(NotYet):
        esp_proposal(f"aes128gcm16-{word}")


@pytest.mark.parametrize("word", [*VENDOR, "dh20"])
def test_other_vendors_words_are_answered_with_ours(word):
    ours = VENDOR["group20" if word == "dh20" else word]
    with pytest.raises(Mistake, match=f"'{word}' is another vendor's word; write '{ours}'"):
        esp_proposal(f"aes128gcm16-{word}")


@pytest.mark.parametrize(
    ("read", "text", "offset", "message"),
    [
        (
            esp_proposal,
            "aes256gmc16",
            0,
            "unknown algorithm 'aes256gmc16' in proposal 'aes256gmc16'; did you mean",
        ),
        (esp_proposal, "aes256-gcm", 0, "'aes256-gcm' is another vendor's word; write 'aes256gcm16'"),
        (ike_proposal, "aes-256-sha-256-group14", 0, "'aes-256' is another vendor's word; write 'aes256'"),
        (esp_proposal, "aes128-SHA256", 7, "proposal words are small letters; write 'sha256'"),
        (
            esp_proposal,
            "aes128gcm16-aes256-sha256",
            0,
            "'aes128gcm16-aes256-sha256' mixes AEAD and classic ciphers",
        ),
        (esp_proposal, "aes128gcm16-sha256", 12, "aes128gcm16 brings its own integrity; take 'sha256' out"),
        (
            esp_proposal,
            "aes128gcm16-prfsha256",
            12,
            "a PRF belongs to IKE proposals only; take 'prfsha256' out",
        ),
        (esp_proposal, "sha256", 0, "the proposal 'sha256' has no cipher; ESP needs one"),
        (
            esp_proposal,
            "serpent256-sha256",
            0,
            "'serpent256' is known to strongSwan but not implemented here",
        ),
        (esp_proposal, "aes128gcm16--x25519", 12, "a word is missing beside '-'"),
        (esp_proposal, "aes128-sha256-aes128", 14, "'aes128' stands twice in one proposal"),
        (esp_proposal, "aes128gcm16-default", 12, "'default' stands alone"),
        (
            ike_proposal,
            "aes256gcm16-x25519",
            0,
            "IKE with aes256gcm16 needs a PRF word; write aes256gcm16-prfsha256-x25519",
        ),
        (
            ike_proposal,
            "aes256gcm16-sha256-x25519",
            12,
            "aes256gcm16 brings its own integrity; write 'prfsha256'",
        ),
        (
            ike_proposal,
            "aes256-x25519",
            0,
            "IKE with aes256 needs an integrity word; write aes256-sha256-x25519",
        ),
        (ike_proposal, "aes256-sha256", 0, "IKE needs a key exchange word; write aes256-sha256-x25519"),
        (ah_proposal, "aes256-sha256", 0, "AH does not encrypt: take 'aes256' out of ah_proposals"),
        (ah_proposal, "x25519", 0, "AH needs an integrity word"),
    ],
)
def test_a_wrong_proposal_says_what_to_write(read, text, offset, message):
    with pytest.raises(Mistake) as caught:
        read(text)
    assert caught.value.message.startswith(message)
    assert caught.value.offset == offset


@pytest.mark.conf("ALG-04")
def test_a_classic_cipher_needs_an_integrity_word():
    with pytest.raises(Mistake, match=r"^aes128 without integrity is broken .*; write aes128-sha256$"):
        esp_proposal("aes128")


@pytest.mark.conf("ARC-23")
def test_null_needs_an_integrity_word():
    with pytest.raises(Mistake, match=r"^null without integrity protects nothing .*; write null-sha256$"):
        esp_proposal("null")
    assert esp_proposal("null-sha256").words == "null-sha256"


@pytest.mark.conf("ALG-06", "ESP-28")
@pytest.mark.parametrize(
    "row", [row for row in ENCRYPTION.values() if row.esp_only], ids=lambda row: row.name
)
def test_ciphers_for_esp_alone_are_refused_in_ike(row):
    word = row.word_for(row.key_bits[-1])
    with pytest.raises(Mistake, match=f"^{word} is for ESP only"):
        ike_proposal(f"{word}-sha256-x25519" if row.icv == 0 else f"{word}-prfsha256-x25519")


def test_an_integrity_word_names_the_prf_too():
    assert ike_proposal("aes128-aesxcbc-x25519").prf == (PRF[4],)
    assert ike_proposal("aes128-aescmac-x25519").prf == (PRF[8],)
    proposal = ike_proposal("aes128-aesxcbc-prfsha256-x25519")
    assert proposal.words == "aes128-aesxcbc-prfsha256-x25519"
    with pytest.raises(Mistake, match="write 'prfaescmac' in place of 'aescmac'"):
        ike_proposal("aes128gcm16-aescmac-x25519")


def test_two_integrity_words_that_mean_the_same_prf_offer_it_once():
    proposal = ike_proposal("aes128-sha256-sha256_96-x25519")
    assert proposal.prf == (PRF[5],)
    assert proposal.words == "aes128-sha256-sha256_96-x25519"


def test_gmac_is_a_cipher_in_esp_and_integrity_in_ah():
    assert esp_proposal("aes192gmac").encryption == ((ENCRYPTION[21], 192),)
    ah_proposal("aes192gmac")
    ah_proposal("aes256gmac-sha256")
    with pytest.raises(Mistake, match="take 'aes128ctr' out"):
        ah_proposal("aes128ctr-sha256")


@pytest.mark.parametrize(
    ("text", "additional", "words"),
    [
        ("aes128gcm16-prfsha256-x25519-ke1_ecp384", ((1, ("ecp384",)),), ""),
        (
            "aes128-sha256-x25519-ke2_modp3072-ke1_x448",
            ((1, ("x448",)), (2, ("modp3072",))),
            "ke1_x448-ke2_modp3072",
        ),
        ("aes128-sha256-ecp256-ke1_curve25519-ke1_none", ((1, ("x25519", None)),), "ke1_x25519-ke1_none"),
    ],
)
def test_further_key_exchanges_have_numbers(text, additional, words):
    proposal = ike_proposal(text)
    found = tuple(
        (number, tuple(g.word if g else None for g in groups)) for number, groups in proposal.additional
    )
    assert found == additional
    assert proposal.words.endswith(words or text)
    assert ike_proposal(proposal.words) == proposal


@pytest.mark.parametrize("word", ["ke8_x25519", "ke0_x25519", "ke1_aes128", "ke1_", "ke1_x25519x"])
def test_what_is_no_further_key_exchange_is_refused(word):
    with pytest.raises(Mistake, match="unknown algorithm"):
        ike_proposal(f"aes128gcm16-prfsha256-x25519-{word}")


@pytest.mark.parametrize("text", ["aes128gcm16-x25519-ke1_mlkem768", "aes128gcm16-mlkem512"])
def test_switches_that_come_later_are_refused_by_name(text):
    with pytest.raises(NotYet):
        esp_proposal(text)


@pytest.mark.parametrize(
    ("text", "values", "words"),
    [
        ("aes256gcm16", (False,), "aes256gcm16"),
        ("aes256gcm16-noesn", (False,), "aes256gcm16"),
        ("aes256gcm16-esn", (True,), "aes256gcm16-esn"),
        ("aes256gcm16-x25519-esn-noesn", (True, False), "aes256gcm16-x25519-esn-noesn"),
        ("noesn-esn-aes256gcm16", (False, True), "aes256gcm16-noesn-esn"),
    ],
)
def test_a_proposal_says_whether_sequence_numbers_are_extended(text, values, words):
    proposal = esp_proposal(text)
    assert (proposal.extended_sequence, proposal.words) == (values, words)
    assert esp_proposal(proposal.words) == proposal


def test_an_ike_proposal_has_no_sequence_numbers():
    with pytest.raises(Mistake, match="take 'esn' out"):
        ike_proposal("aes256gcm16-prfsha256-x25519-esn")


def test_ah_takes_integrity_and_a_group():
    ah_proposal("sha256-x25519")
    ah_proposal("default")
    assert INTEGRITY[12].word == "sha256"
    assert isinstance(ENCRYPTION[20], Encryption)
