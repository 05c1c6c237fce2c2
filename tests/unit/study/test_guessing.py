"""A pre-shared key is guessed from what its responder holds: in recordings of real peers, and in a run."""

import json
from dataclasses import replace

import pytest

from ipsecsim.observe.packets.keys import Keys
from ipsecsim.study.guessing import COMMON, Claim, claim, guess
from ipsecsim.wire.ike.numbers import ExchangeType
from ipsecsim.wire.in_udp import ike_message, ike_of
from tests.support.pcap import read_pcap
from tests.support.recorded import ike_keys
from tests.vectors.recordings import CAPTURES

PSK = "ipsecsim-golden-psk-0123456789"
PEERS = (
    "ikev2-psk-aesgcm-ecp384",
    "ikev2-psk-aescbc-modp2048",
    "ikev2-psk-chapoly-x25519",
    "ikev2-natt-masquerade",
)
"""Recordings of strongSwan on both sides."""


def recorded(name: str) -> Claim | None:
    """The initiator's proof in a recording, as its responder has it."""
    folder = CAPTURES / name
    entry = json.loads((folder / "keys.json").read_text())["ikev2_sas"][0]
    spi = bytes.fromhex(entry["spi_i"])
    pcap = folder / "capture.pcap" if (folder / "capture.pcap").exists() else next(folder.glob("*.pcap"))
    packets = [each.packet for each in read_pcap(pcap)]
    messages = [
        (each, header) for each in packets if (header := ike_of(each)) is not None and header.spi_i == spi
    ]
    init = [each for each, header in messages if header.exchange == ExchangeType.IKE_SA_INIT]
    auth = [each for each, header in messages if header.exchange == ExchangeType.IKE_AUTH]
    request, response, sealed = (ike_message(each) for each in (*init[-2:], auth[0]))
    keys = ike_keys(entry, response)
    return claim([request, response, sealed], bytes.fromhex(entry["sk_pi"]), keys)


@pytest.mark.parametrize("name", PEERS)
def test_the_key_of_a_recorded_initiator_is_found_among_words_and_no_other(name):
    claimed = recorded(name)
    assert claimed is not None
    assert guess(claimed, [*COMMON, PSK, "later"]) == PSK
    assert guess(claimed, [*COMMON, PSK[:-1], PSK + "0"]) == ""


def test_who_knows_less_than_the_responder_finds_nothing():
    claimed = recorded(PEERS[0])
    assert claimed is not None
    spoilt = replace(claimed, octets=claimed.octets[:-1] + bytes([claimed.octets[-1] ^ 1]))
    assert guess(spoilt, [PSK]) == ""


def test_a_proof_by_signature_is_none_to_guess_at():
    assert recorded("ikev2-ecdsa-p256") is None


def test_messages_that_are_none_lead_to_nothing():
    assert claim([b"", b"", b""], b"", Keys()) is None
    assert claim([b"x" * 40] * 3, b"", Keys()) is None
