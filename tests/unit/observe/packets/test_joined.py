"""A message of IKE in pieces is read as one, in a recording of strongSwan and in runs."""

import json

import pytest

from ipsecsim.crypto.certificates import Certificate
from ipsecsim.experiment.packets import Packets
from ipsecsim.experiment.run import Run
from ipsecsim.observe.packets.joined import joined, piece
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.scenario import read
from ipsecsim.wire.ike.numbers import ExchangeType
from ipsecsim.wire.in_udp import ike_message, ike_of
from tests.support.pcap import read_pcap
from tests.support.recorded import ike_keys
from tests.vectors.recordings import CAPTURES

FOLDER = CAPTURES / "ikev2-rsa-rfc7427-frag"


@pytest.fixture(scope="module")
def recorded() -> tuple[list[bytes], Keys]:
    """The pieces of the initiator's IKE_AUTH, as strongSwan sent them, and the keys."""
    entry = json.loads((FOLDER / "keys.json").read_text())["ikev2_sas"][0]
    packets = [each.packet for each in read_pcap(FOLDER / "capture.pcap")]
    init = [each for each in packets if (h := ike_of(each)) and h.exchange == ExchangeType.IKE_SA_INIT]
    pieces = [each for each in packets if (found := piece(each)) and not found[0].is_response]
    return pieces, ike_keys(entry, ike_message(init[1]))


def test_what_strongswan_sent_in_pieces_has_the_certificate_whole(recorded):
    pieces, keys = recorded
    assert len(pieces) > 1
    certificates = [Certificate.from_pem(path.read_bytes()).der for path in FOLDER.glob("pki/*.crt")]
    for each in pieces:  # whichever is asked for, in whatever order the others are
        seen = joined(each, reversed(pieces), keys)
        assert seen is not None
        assert any(der in seen.plain for der in certificates)
        names = [field.name for _, field in seen.root.walk()]
        for number in (35, 37, 39, 33, 44, 45):  # IDi, CERT, AUTH, SA, TSi, TSr
            assert any(name.endswith(f" ({number})") for name in names), names


def test_nothing_is_made_up_where_a_piece_is_missing_or_has_been_changed(recorded):
    pieces, keys = recorded
    assert joined(pieces[0], pieces[1:-1], keys) is None
    assert joined(pieces[0], [*pieces[1:-1], pieces[-1][:-1] + b"\x00"], keys) is None
    assert joined(pieces[0], pieces, Keys()) is None


@pytest.mark.parametrize("packet", [b"", b"no packet", bytes(60)])
def test_what_is_no_piece_is_no_part_of_a_message(packet, recorded):
    assert piece(packet) is None
    assert joined(packet, recorded[0], recorded[1]) is None


def test_every_piece_of_a_run_leads_to_the_same_message():
    run = Run(read("ike_fragments")).run()
    packets = [each.data for each in Packets(run)]
    asked = [each for each in packets if (found := piece(each)) and not found[0].is_response]
    whole = {seen.plain for each in asked if (seen := joined(each, packets, run.keys)) is not None}
    assert len(asked) == 5
    assert len(whole) == 1
