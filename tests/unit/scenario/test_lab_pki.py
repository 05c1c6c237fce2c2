"""The lab's certificates: the same for a seed, and each as good or as bad as was asked for."""

import pytest

from ipsecsim.base.instant import CALENDAR_START
from ipsecsim.crypto.certificate_path import believe
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.errors import ChainRefused
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2.peer.trust import carries
from ipsecsim.scenario.lab_pki import AUTHORITIES, KIND_WORDS, RSA_FILES, YEAR, Flaw, LabPki

WEST = [Identity.from_text("west.example")]


def octets(seed: str, kind: KeyKind, flaw: Flaw = Flaw.GOOD) -> list[bytes]:
    pki = LabPki(seed, kind)
    own = pki.own_key("west", WEST, flaw)
    return [each.der for each in own.certificates] + [each.der for each in pki.known().lists] + [own.key.pem]


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("flaw", Flaw)
def test_the_same_seed_gives_the_same_octets(kind, flaw):
    assert octets("1", kind, flaw) == octets("1", kind, flaw)


@pytest.mark.parametrize("kind", [kind for kind in KeyKind if kind is not KeyKind.RSA])
def test_another_seed_gives_other_keys(kind):
    assert not set(octets("1", kind)) & set(octets("2", kind))


def test_a_node_that_comes_later_changes_nothing_of_those_before():
    alone, together = LabPki("1"), LabPki("1")
    together.own_key("east", [])
    assert alone.own_key("west", WEST).certificates == together.own_key("west", WEST).certificates


def test_rsa_keys_are_those_of_the_files_and_go_round():
    pki = LabPki("1", KeyKind.RSA)
    keys = [pki.own_key(f"node{number}", []).key.public.info for number in range(RSA_FILES + 1)]
    assert len(set(keys[:-1])) == RSA_FILES
    assert keys[-1] == keys[0]
    assert LabPki("2", KeyKind.RSA).root.key.public.info == pki.root.key.public.info


GOOD = {Flaw.GOOD: 3, Flaw.LONG_CHAIN: 5}


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("flaw", Flaw)
def test_only_good_ones_are_believed(flaw, kind):
    pki = LabPki("1", kind)
    leaf, *others = pki.own_key("west", WEST, flaw).certificates
    known = pki.known()
    if flaw in GOOD:
        assert len(believe(leaf, others, known, pki.start).certificates) == GOOD[flaw]
        assert carries(leaf, WEST[0])
    elif flaw is Flaw.WRONG_NAME:
        assert believe(leaf, others, known, pki.start)
        assert not carries(leaf, WEST[0])
    else:
        with pytest.raises(ChainRefused):
            believe(leaf, others, known, pki.start)


def test_a_good_one_holds_for_a_year_from_the_start_of_the_run():
    leaf = LabPki("1").own_key("west", WEST).certificates[0]
    assert leaf.not_before < CALENDAR_START < leaf.not_after == CALENDAR_START + YEAR


def test_all_names_of_a_node_stand_in_its_certificate():
    texts = ["west.example", "west@example.org", "192.0.2.1", "2001:db8::1", "O=lab, CN=the west"]
    identities = [Identity.from_text(text) for text in texts]
    leaf = LabPki("1").own_key("west", identities).certificates[0]
    assert [text for text, each in zip(texts, identities, strict=True) if not carries(leaf, each)] == []
    assert str(leaf) == "O=lab, CN=the west"


def test_authorities_stand_below_each_other_but_for_the_roots():
    pki = LabPki("1")
    made: dict[str, Certificate] = {name: pki.authority(name).certificate for name in AUTHORITIES}
    assert [name for name, each in made.items() if each.is_self_issued] == ["root", "stranger"]
    assert made["team"].is_signed_by(made["department"])
    assert made["department"].is_signed_by(made["issuing"])
    assert made["issuing"].is_signed_by(made["root"])
    assert len({each.serial for each in made.values()}) == len(made)


def test_every_kind_has_its_word():
    assert set(KIND_WORDS.values()) == set(KeyKind)
