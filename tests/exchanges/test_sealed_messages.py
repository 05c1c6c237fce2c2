"""The Encrypted payload on an SA that stands: seal, padding, IV and place (RFC 7296 3.1, 3.14)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.encrypted import Encrypted
from ipsecsim.wire.ike.generic import UnknownPayload
from ipsecsim.wire.ike.notify import Notify
from tests.support.misbehaving import (
    Habit,
    a_peer_that,
    adds_outside,
    ask,
    flips,
    pads_with,
    starts_with,
)
from tests.support.pair import Pair

GCM, CBC = "aes256gcm16-prfsha256-x25519", "aes256-sha256-x25519"
HELLO = Notify(40960, b"hello")  # a status for private use: nothing follows from it


def established(ike: str = GCM) -> Pair:
    """Two sides that have nothing more to say."""
    pair = Pair(west={"ike": [ike]}, east={"ike": [ike]})
    pair.establish()
    return pair


@pytest.mark.conf("IK2-93")
@pytest.mark.parametrize("ike", [GCM, CBC])
def test_any_padding_that_fits_the_cipher_is_taken(ike):
    pair = established(ike)
    sa = pair.west.endpoint.sas[0]
    inside = len(HELLO.emit()) + 4 + 1
    block = sa.outbound.alignment
    lengths = [length for length in range(256) if (inside + length) % block == 0]
    assert len(lengths) == 256 // block
    for length in lengths:
        pad = bytes((length * 7 + at) & 0xFF for at in range(length))
        assert ask(pair, HELLO, habits=[pads_with(pad)]) == []
    assert not pair.east.drops


def follows(*behind: bytes) -> Habit:
    """More payloads stand behind SK, and the header counts them in."""

    def change(raw: bytes) -> bytes:
        whole = raw + b"".join(behind)
        return whole[:24] + len(whole).to_bytes(4, "big") + whole[28:]

    return lambda said: said.raw.append(change)


@pytest.mark.conf("IK2-93")
def test_what_stands_behind_sk_spoils_the_message():
    """A second SK payload as well as any other: only the last payload of a message can be SK."""
    pair = established()
    second_sk = b"\0\0" + (40).to_bytes(2, "big") + bytes(36)
    notify = b"\0\0" + (8).to_bytes(2, "big") + bytes(4)
    for behind in (second_sk, notify):
        assert ask(pair, habits=[follows(behind)]) is None
    assert pair.east.drops == [DropReason.PAYLOAD_LEN] * 2
    assert ask(pair) == []


@pytest.mark.conf("IK2-93")
def test_the_checksum_covers_what_stands_in_clear_before_sk():
    pair = established()
    stranger = UnknownPayload(200, b"in clear")
    assert ask(pair, habits=[adds_outside(stranger)]) == []
    assert ask(pair, habits=[adds_outside(stranger), flips(28 + 6)]) is None
    assert pair.east.drops == [DropReason.SK_FAIL]


@pytest.mark.conf("IK2-94")
@pytest.mark.parametrize("ike", [GCM, CBC])
def test_nothing_inside_is_looked_at_before_the_checksum_was_right(ike, monkeypatch):
    pair = established(ike)
    lengths: list[int] = []
    ask(pair, HELLO, habits=[lambda said: said.raw.append(lambda raw: lengths.append(len(raw)) or raw)])
    length = lengths[0]
    read_inside = []
    genuine = envelope.parse_chain
    monkeypatch.setattr(envelope, "parse_chain", lambda *what: (read_inside.append(what), genuine(*what))[1])
    for at in range(length):
        assert ask(pair, HELLO, habits=[flips(at)]) is None
    assert not read_inside
    assert len(pair.east.drops) == length
    assert pair.east.drops[28 + 4 :] == [DropReason.SK_FAIL] * (length - 32)
    assert ask(pair, HELLO) == []
    assert read_inside


@pytest.mark.conf("IK2-121")
def test_every_message_has_an_iv_of_its_own_that_no_ciphertext_foretells():
    ways = {"ike": [CBC], "dpd_delay": SECOND}
    pair = Pair(west=ways, east=ways)
    pair.establish()
    for _ in range(20):
        pair.wait_until(pair.now + SECOND)
        pair.settle()
    for side in (pair.west, pair.east):
        sealed = [
            payload.body
            for datagram in pair.sent
            for payload in parse_message(datagram.payload)[1]
            if datagram.source == side.address and isinstance(payload, Encrypted)
        ]
        ivs = [body[:16] for body in sealed]
        last_blocks = [body[-32:-16] for body in sealed]  # in front of the ICV
        assert len(ivs) > 20
        assert len(set(ivs)) == len(ivs)
        assert not set(ivs) & set(last_blocks)
        assert not any(int.from_bytes(iv, "big") < 2**64 for iv in ivs)  # no bare counter


@pytest.mark.conf("IK2-121")
@pytest.mark.parametrize(("ike", "length"), [(GCM, 8), (CBC, 16)])
def test_any_iv_is_taken(ike, length):
    pair = established(ike)
    for iv in (bytes(length), b"\xff" * length, bytes(length)):
        assert ask(pair, HELLO, habits=[starts_with(iv)]) == []


@pytest.mark.conf("IK2-94")
def test_a_forged_answer_does_not_end_the_waiting():
    pair = a_peer_that(flips(-1), in_="IKE_AUTH response")
    pair.establish()
    assert pair.west.drops == [DropReason.SK_FAIL]
    assert pair.west.endpoint.next_deadline() is not None
    assert not pair.west.sas
