"""The catalogue: its rows agree with each other and with what their makers build."""

import pytest

from ipsecsim.crypto.catalogue import (
    ENCRYPTION,
    GROUPS,
    INTEGRITY,
    PRF,
    WORDS,
    AhSuite,
    EspSuite,
    IkeSuite,
    Meaning,
    Status,
)

TABLES = {"encryption": ENCRYPTION, "integrity": INTEGRITY, "prf": PRF, "groups": GROUPS}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_numbers_are_keys_and_names_are_unique(table):
    assert all(number == row.id for number, row in table.items())
    assert len({row.name for row in table.values()}) == len(table)


def test_no_two_rows_share_a_proposal_word():
    words = [
        word.format(bits=bits)
        for row in ENCRYPTION.values()
        for word in (row.word, *row.aliases)
        for bits in (row.key_bits if "{bits}" in word else row.key_bits[:1])
    ]
    words += [
        word for t in (INTEGRITY, PRF, GROUPS) for row in t.values() for word in (row.word, *row.aliases)
    ]
    assert sorted(words) == sorted(WORDS)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("aes256gcm16", Meaning(ENCRYPTION[20], 256)),
        ("aes192gcm", Meaning(ENCRYPTION[20], 192)),
        ("aes128gcm128", Meaning(ENCRYPTION[20], 128)),
        ("aes", Meaning(ENCRYPTION[12], 128)),
        ("aes256", Meaning(ENCRYPTION[12], 256)),
        ("chacha20poly1305", Meaning(ENCRYPTION[28], 256)),
        ("sha2_256", Meaning(INTEGRITY[12])),
        ("prfsha384", Meaning(PRF[6])),
        ("curve25519", Meaning(GROUPS[31])),
        ("modp2048", Meaning(GROUPS[14])),
    ],
)
def test_words_and_aliases_lead_to_their_row(word, meaning):
    assert WORDS[word] == meaning


@pytest.mark.conf("ALG-12")
@pytest.mark.parametrize("row", INTEGRITY.values(), ids=lambda row: row.name)
def test_hmac_sha2_is_cut_to_half_and_keyed_with_its_output_length(row):
    output = len(row.make(bytes(row.key_length))(b""))
    assert row.icv == output // 2
    assert row.key_length == output
    assert PRF[row.prf].output == output


@pytest.mark.parametrize("row", PRF.values(), ids=lambda row: row.name)
def test_prf_rows_tell_their_output_length(row):
    assert len(row.make(b"key")(b"")) == row.output == row.key_length


def test_only_ciphers_with_a_choice_of_key_sizes_send_a_key_length():
    assert {row.name for row in ENCRYPTION.values() if row.has_key_length_attribute} == {
        "aes-gcm-16",
        "aes-cbc",
    }


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        (EspSuite(ENCRYPTION[20], 256), "aes256gcm16"),
        (EspSuite(ENCRYPTION[12], 128, INTEGRITY[12]), "aes128-sha256"),
        (EspSuite(ENCRYPTION[28], 256), "chacha20poly1305"),
        (AhSuite(INTEGRITY[14]), "sha512"),
        (IkeSuite(ENCRYPTION[20], 256, None, PRF[6], GROUPS[20]), "aes256gcm16-prfsha384-ecp384"),
        (IkeSuite(ENCRYPTION[12], 256, INTEGRITY[12], PRF[5], GROUPS[14]), "aes256-sha256-modp2048"),
        (IkeSuite(ENCRYPTION[12], 256, INTEGRITY[12], PRF[7], GROUPS[31]), "aes256-sha256-prfsha512-x25519"),
    ],
)
def test_suites_print_as_strongswan_writes_them_and_their_words_are_known(suite, words):
    assert suite.words == words
    assert all(word in WORDS for word in words.split("-"))


def test_key_lengths_include_the_salt():
    assert EspSuite(ENCRYPTION[20], 128).encryption_key_length == 20
    assert EspSuite(ENCRYPTION[20], 128).integrity_key_length == 0
    assert EspSuite(ENCRYPTION[12], 256, INTEGRITY[14]).encryption_key_length == 32
    assert EspSuite(ENCRYPTION[12], 256, INTEGRITY[14]).integrity_key_length == 64
    assert AhSuite(INTEGRITY[13]).encryption_key_length == 0
    assert AhSuite(INTEGRITY[13]).integrity_key_length == 48
    assert IkeSuite(ENCRYPTION[28], 256, None, PRF[5], GROUPS[31]).encryption_key_length == 36
    assert IkeSuite(ENCRYPTION[12], 256, INTEGRITY[13], PRF[6], GROUPS[31]).integrity_key_length == 48


def test_a_suite_is_as_good_as_its_worst_part():
    assert EspSuite(ENCRYPTION[20], 256).status is Status.CURRENT
    assert EspSuite(ENCRYPTION[12], 256, INTEGRITY[12]).status is Status.CURRENT
    assert AhSuite(INTEGRITY[12]).status is Status.CURRENT


def test_encryption_alone_is_broken_whatever_the_cipher():
    alone = EspSuite(ENCRYPTION[12], 256)
    assert not alone.is_authenticated
    assert alone.status is Status.BROKEN
    assert EspSuite(ENCRYPTION[12], 256, INTEGRITY[12]).is_authenticated
    assert EspSuite(ENCRYPTION[20], 256).is_authenticated
