"""The catalogue: its rows agree with each other and with what their makers build."""

import pytest

from ipsecsim.crypto.catalogue import (
    AH_WORDS,
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
from ipsecsim.wire.ike.numbers import TransformType
from ipsecsim.wire.ike.transform_names import TRANSFORM_NAMES

TABLES = {"encryption": ENCRYPTION, "integrity": INTEGRITY, "prf": PRF, "groups": GROUPS}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_numbers_are_keys_and_names_are_unique(table):
    assert all(number == row.id for number, row in table.items())
    assert len({row.name for row in table.values()}) == len(table)


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (TransformType.ENCR, ENCRYPTION),
        (TransformType.INTEG, INTEGRITY),
        (TransformType.PRF, PRF),
        (TransformType.KE, GROUPS),
    ],
)
def test_every_row_has_the_name_of_its_transform(kind, table):
    assert table.keys() <= TRANSFORM_NAMES[kind].keys()


def test_no_two_rows_share_a_proposal_word():
    ciphers = [
        word.format(bits=bits)
        for row in ENCRYPTION.values()
        for word in (row.word, *row.aliases)
        for bits in (row.key_bits if "{bits}" in word else row.key_bits[:1])
    ]
    integrity = [row for row in INTEGRITY.values() if not row.ah_only]
    others = [
        word
        for rows in (integrity, PRF.values(), GROUPS.values())
        for row in rows
        for word in (row.word, *row.aliases)
    ]
    assert sorted(ciphers + others) == sorted(WORDS)


def test_gmac_is_a_cipher_to_esp_and_an_integrity_algorithm_to_ah():
    for number, bits in ((9, 128), (10, 192), (11, 256)):
        word = f"aes{bits}gmac"
        assert WORDS[word] == Meaning(ENCRYPTION[21], bits)
        assert AH_WORDS[word] == Meaning(INTEGRITY[number])
    assert {word for word in AH_WORDS if AH_WORDS[word] != WORDS.get(word)} == {
        "aes128gmac",
        "aes192gmac",
        "aes256gmac",
    }


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
@pytest.mark.parametrize("number", [12, 13, 14])
def test_hmac_sha2_is_cut_to_half_and_keyed_with_its_output_length(number):
    row = INTEGRITY[number]
    output = len(row.make(bytes(row.key_length))(b""))
    assert row.icv == output // 2
    assert row.key_length == output
    assert PRF[row.prf].output == output


@pytest.mark.conf("ALG-12")
@pytest.mark.parametrize("number", [1, 2])
def test_hmac_sha1_and_md5_are_cut_to_96_bits(number):
    row = INTEGRITY[number]
    assert 8 * row.icv == 96
    assert row.key_length == len(row.make(bytes(row.key_length))(b"")) == PRF[row.prf].output


@pytest.mark.parametrize("row", INTEGRITY.values(), ids=lambda row: row.name)
def test_an_integrity_row_makes_no_less_than_its_icv(row):
    assert len(row.make(bytes(row.key_length))(bytes(row.iv))) >= row.icv


@pytest.mark.parametrize("row", PRF.values(), ids=lambda row: row.name)
def test_prf_rows_tell_their_output_length(row):
    assert len(row.make(b"key")(b"")) == row.output == row.key_length


def test_only_ciphers_with_a_choice_of_key_sizes_send_a_key_length():
    assert {row.name for row in ENCRYPTION.values() if not row.has_key_length_attribute} == {
        "chacha20-poly1305",
        "chacha20-poly1305-iiv",
        "null",
        "3des-cbc",
        "des-cbc",
    }


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        (EspSuite(ENCRYPTION[20], 256), "aes256gcm16"),
        (EspSuite(ENCRYPTION[12], 128, INTEGRITY[12]), "aes128-sha256"),
        (EspSuite(ENCRYPTION[28], 256), "chacha20poly1305"),
        (EspSuite(ENCRYPTION[11], 0, INTEGRITY[12]), "null-sha256"),
        (EspSuite(ENCRYPTION[3], 192, INTEGRITY[1]), "3des-md5"),
        (EspSuite(ENCRYPTION[21], 192), "aes192gmac"),
        (AhSuite(INTEGRITY[14]), "sha512"),
        (AhSuite(INTEGRITY[10]), "aes192gmac"),
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
    assert EspSuite(ENCRYPTION[12], 256, INTEGRITY[1026]).status is Status.WEAK
    assert EspSuite(ENCRYPTION[3], 192, INTEGRITY[1026]).status is Status.BROKEN
    assert EspSuite(ENCRYPTION[12], 256, INTEGRITY[1]).status is Status.BROKEN
    assert EspSuite(ENCRYPTION[11], 0, INTEGRITY[12]).status is Status.CURRENT
    assert AhSuite(INTEGRITY[1]).status is Status.BROKEN
    assert AhSuite(INTEGRITY[12]).status is Status.CURRENT


def test_encryption_alone_is_broken_whatever_the_cipher():
    alone = EspSuite(ENCRYPTION[12], 256)
    assert not alone.is_authenticated
    assert alone.status is Status.BROKEN
    assert EspSuite(ENCRYPTION[12], 256, INTEGRITY[12]).is_authenticated
    assert EspSuite(ENCRYPTION[20], 256).is_authenticated


@pytest.mark.conf("ALG-01", "ALG-03", "ALG-06", "ALG-07", "ALG-08")
def test_what_must_be_implemented_is():
    esp = {("null", 0), ("aes-cbc", 128), ("aes-cbc", 256), ("aes-gcm-16", 128), ("aes-gcm-16", 256)}
    should = {("chacha20-poly1305", 256), ("aes-ccm-8", 128)}
    assert esp | should <= {(row.name, bits) for row in ENCRYPTION.values() for bits in row.key_bits}
    assert {"hmac-sha2-256-128", "hmac-sha1-96", "hmac-sha2-512-256"} <= {
        row.name for row in INTEGRITY.values()
    }
    assert {"prf-hmac-sha2-256", "prf-hmac-sha1", "prf-hmac-sha2-512"} <= {row.name for row in PRF.values()}


@pytest.mark.conf("ALG-02", "ALG-03", "ALG-07")
def test_what_must_not_be_used_says_so():
    rows = [row for table in TABLES.values() for row in table.values()]
    assert {row.name for row in rows if row.status is Status.BROKEN} == {
        "3des-cbc",
        "des-cbc",
        "hmac-md5-96",
        "hmac-md5-128",
        "prf-hmac-md5",
        "modp-768",
        "modp-1024-160",
    }
    assert {row.name for row in rows if row.status is Status.WEAK} == {
        "hmac-sha2-256-96",
        "ecp-192",
        "modp-1024",
        "modp-1536",
        "modp-2048-224",
        "modp-2048-256",
    }


def test_what_is_for_esp_alone_says_so():
    assert {row.name for row in ENCRYPTION.values() if row.esp_only} == {
        "null",
        "aes-gmac",
        "aes-gcm-16-iiv",
        "aes-ccm-8-iiv",
        "chacha20-poly1305-iiv",
    }
