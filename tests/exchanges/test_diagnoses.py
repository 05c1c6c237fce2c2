"""Who knows why: a diagnosis is made by the side that can see it, and the other side sees a bare notify."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.ike.events import Diagnosed, NotifyReceived
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.observe.telling.explain import clause, explain
from ipsecsim.scenario.lab_pki import Flaw, LabPki
from tests.support.pair import EAST, WEST, Pair


def known(side) -> list[Diagnosis]:
    """What a side came to know, in order."""
    return [event.diagnosis for event in side.seen(Diagnosed)]


def told(side) -> list[str]:
    """What the peer told it."""
    return [event.notify for event in side.seen(NotifyReceived)]


WRONG = {
    "another secret": ({"secrets": ("one", "other")}, Diagnosis.AUTH_PSK_MISMATCH),
    "a stranger": ({"west": {"id": "stranger.example"}}, Diagnosis.AUTH_ID_UNKNOWN),
    **{
        f"a certificate that is {flaw.value}": (
            {"pki": LabPki(flaw.value), "west": {"flaw": flaw}},
            diagnosis,
        )
        for flaw, diagnosis in {
            Flaw.EXPIRED: Diagnosis.AUTH_CERT_EXPIRED,
            Flaw.NOT_YET_VALID: Diagnosis.AUTH_CERT_EXPIRED,
            Flaw.REVOKED: Diagnosis.AUTH_CERT_UNTRUSTED,
            Flaw.UNKNOWN_CA: Diagnosis.AUTH_CERT_UNTRUSTED,
            Flaw.WRONG_NAME: Diagnosis.AUTH_CERT_ID_MISMATCH,
        }.items()
    },
}


@pytest.mark.conf("IK2-52")
@pytest.mark.parametrize(("options", "diagnosis"), WRONG.values(), ids=WRONG)
def test_who_is_not_believed_learns_only_that_it_is_not(options, diagnosis):
    pair = Pair(**options)
    pair.establish()
    assert known(pair.east) == [diagnosis]
    assert known(pair.west) == []
    assert told(pair.west) == ["AUTHENTICATION_FAILED"]
    assert len(pair.sent[-1].payload) == 65  # the same answer, whatever the cause
    assert "the peer sees only AUTHENTICATION_FAILED" in explain(pair.east.seen(Diagnosed)[0])
    assert "only the peer knows" in explain(pair.west.seen(NotifyReceived)[0])


def test_an_initiator_that_does_not_believe_the_responder_is_the_one_who_knows():
    pair = Pair(pki=LabPki("wrong"), east={"flaw": Flaw.WRONG_NAME})
    pair.establish()
    assert known(pair.west) == [Diagnosis.AUTH_CERT_ID_MISMATCH]
    assert known(pair.east) == []
    assert told(pair.east) == ["AUTHENTICATION_FAILED"]


IKE, ESP = "aes256gcm16-prfsha256-x25519", "aes256gcm16"
NOTHING_IN_COMMON = {
    "ciphers of the IKE SA": (
        {"ike": ["aes128gcm16-prfsha256-x25519"]},
        "IKE_SA_INIT: nothing in common for ENCR (offered: ENCR_AES_GCM_16 128; wanted: ENCR_AES_GCM_16 256)",
    ),
    "prf and group": (
        {"ike": ["aes256gcm16-prfsha512-modp2048"]},
        "IKE_SA_INIT: nothing in common for PRF (offered: PRF_HMAC_SHA2_512; wanted: PRF_HMAC_SHA2_256)"
        " and KE (offered: 2048-bit MODP Group; wanted: Curve25519)",
    ),
    "cipher of the child": (
        {"esp": ["aes128gcm16"]},
        "IKE_AUTH: nothing in common for ENCR (offered: ENCR_AES_GCM_16 128; wanted: ENCR_AES_GCM_16 256)",
    ),
    "kind of the child": (
        {"esp": [], "ah": ["sha256"]},
        "IKE_AUTH: none of 1 proposals is for a protocol that we want",
    ),
}


@pytest.mark.parametrize(("west", "detail"), NOTHING_IN_COMMON.values(), ids=NOTHING_IN_COMMON)
def test_where_nothing_is_in_common_the_responder_knows_which_transform_and_in_which_exchange(west, detail):
    pair = Pair(west=west)
    pair.establish()
    assert pair.east.seen(Diagnosed) == [Diagnosed(Diagnosis.NO_COMMON_TRANSFORM, "net", detail)]
    assert known(pair.west) == []
    assert "NO_PROPOSAL_CHOSEN" in told(pair.west) or "esp" in west


def test_of_several_proposals_the_closest_one_is_told_of():
    offers = ["aes128-sha1-modp1024", "aes256gcm16-prfsha256-modp2048"]
    pair = Pair(west={"ike": offers})
    pair.establish()
    (diagnosed,) = pair.east.seen(Diagnosed)
    assert diagnosed.detail.startswith("IKE_SA_INIT: nothing in common for KE (offered: 2048-bit MODP Group;")


def test_a_mismatch_of_pfs_shows_at_the_first_rekeying_and_not_before():
    pair = Pair(west={"esp": ["aes256gcm16-modp2048"]}, east={"esp": ["aes256gcm16-ecp256"]})
    pair.establish()
    assert len(pair.west.sas) == 2
    assert known(pair.east) == []
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    assert known(pair.east) == [Diagnosis.PFS_MISMATCH_LATENT]
    assert told(pair.west) == ["NO_PROPOSAL_CHOSEN"]
    assert known(pair.west) == []


def test_selectors_that_do_not_meet_are_known_to_the_responder():
    pair = Pair(east={"local_ts": ["10.9.0.0/24"]})
    pair.establish()
    (diagnosed,) = pair.east.seen(Diagnosed)
    assert diagnosed.diagnosis is Diagnosis.TS_NO_OVERLAP
    assert diagnosed.detail == "IKE_AUTH: offered 10.1.0.0/24 === 10.2.0.0/24"
    assert known(pair.west) == []


def test_both_sides_know_of_selectors_that_were_narrowed():
    pair = Pair(west={"remote_ts": ["10.2.0.0/16"]})
    pair.establish()
    assert known(pair.west) == known(pair.east) == [Diagnosis.TS_NARROWED]
    assert "child net carries 10.1.0.0/24 === 10.2.0.0/24 and no more" in pair.west.seen(Diagnosed)[0].detail


def test_who_comes_back_without_memory_is_known_by_its_first_words():
    pair = Pair()
    pair.establish()
    pair.perform(pair.west, pair.west.endpoint.forget())
    pair.establish()
    assert known(pair.east) == [Diagnosis.PEER_REBOOTED]
    assert len(pair.east.endpoint.sas) == 1


def test_packets_for_a_child_that_is_gone_are_known_to_whoever_gets_them():
    pair = Pair()
    pair.establish()
    pair.perform(pair.east, pair.east.endpoint.unknown_spi(0x01020304, Path(EAST, 0, WEST, 0), 100, pair.now))
    assert known(pair.east) == [Diagnosis.STALE_SA]
    assert "SPI 0x01020304" in pair.east.seen(Diagnosed)[0].detail
    stranger = pack("203.0.113.9")  # anybody may have sent that
    pair.perform(pair.east, pair.east.endpoint.unknown_spi(7, Path(EAST, 0, stranger, 0), 100, pair.now))
    assert known(pair.east) == [Diagnosis.STALE_SA]


def test_nothing_is_diagnosed_where_nothing_is_wrong():
    pair = Pair()
    pair.establish()
    for side in (pair.west, pair.east):
        pair.perform(side, side.endpoint.rekey("net", pair.now))
        pair.settle()
        pair.perform(side, side.endpoint.rekey_ike("net", pair.now))
        pair.settle()
    pair.terminate()
    pair.settle()
    assert known(pair.west) == known(pair.east) == []


@pytest.mark.parametrize("diagnosis", list(Diagnosis), ids=str)
def test_every_diagnosis_has_a_sentence_of_its_own(diagnosis):
    event = Diagnosed(diagnosis, "net", "detail")
    assert explain(event).startswith(f"{diagnosis.name}: {diagnosis.sentence} (detail); ")
    assert clause(event) == diagnosis.clause
    assert sum(each.sentence == diagnosis.sentence for each in Diagnosis) == 1
