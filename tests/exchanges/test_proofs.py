"""AUTH covers what both sides said first; identities of every kind; secrets of every form (RFC 7296 2.15, 3.5)."""

import hmac
from dataclasses import replace

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.events import PeerAuthenticated, PeerRefused
from ipsecsim.ike.v2.exchanges.ike_sa_init import NONCE_LENGTH
from ipsecsim.ike.v2.peer.auth import psk_auth, signed_octets
from ipsecsim.scenario.swanctl.values import secret as written
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.numbers import IdType
from ipsecsim.wire.ike.numbers import PayloadType as P
from tests.support.misbehaving import Said, a_peer_that, changes, garbles
from tests.support.pair import EAST, WEST, Pair


def meddled(at: int, message: int, *, bit: int = 0) -> Pair:
    """Somebody on the way changes one bit of the first or the second message."""
    pair = Pair()
    pair.initiate()
    for _ in range(message):
        pair.deliver()
    datagram = pair.wire.pop()
    raw = bytearray(datagram.payload)
    raw[at] ^= 1 << bit
    pair.wire.append(replace(datagram, payload=bytes(raw)))
    pair.settle()
    return pair


@pytest.mark.conf("IK2-49")
@pytest.mark.parametrize("message", [0, 1])
def test_whoever_changes_a_byte_of_the_first_two_messages_is_found_out(message):
    refused = 0
    for at in range(200):
        pair = meddled(at, message, bit=at % 8)
        judge = (pair.east, pair.west)[message]
        assert not judge.seen(PeerAuthenticated)
        assert not pair.west.sas
        assert not pair.east.sas
        refused += len(judge.seen(PeerRefused))
    assert refused > 50  # bytes that the proof alone depends on, such as those of the notifies


@pytest.mark.conf("IK2-49", "IK2-51")
@pytest.mark.parametrize("message", ["IKE_AUTH request", "IKE_AUTH response"])
@pytest.mark.parametrize("at", range(32))
def test_every_byte_of_the_proof_counts(message, at):
    def spoil(body: bytes) -> bytes:
        return body[: 4 + at] + bytes([body[4 + at] ^ 1]) + body[5 + at :]

    pair = a_peer_that(garbles(P.AUTH, spoil), in_=message)
    pair.establish()
    judge = pair.east if message.endswith("request") else pair.west
    assert len(judge.seen(PeerRefused)) == 1
    assert not judge.seen(PeerAuthenticated)
    assert not judge.sas


@pytest.mark.conf("IK2-51")
@pytest.mark.parametrize("message", ["IKE_AUTH request", "IKE_AUTH response"])
def test_a_proof_of_another_length_is_none(message):
    for length in (0, 31, 33, 64):
        pair = a_peer_that(changes(P.AUTH, data=bytes(length)), in_=message)
        pair.establish()
        assert (pair.east if message.endswith("request") else pair.west).seen(PeerRefused)


@pytest.mark.conf("IK2-51")
@pytest.mark.parametrize("message", ["IKE_AUTH request", "IKE_AUTH response"])
def test_the_right_secret_under_another_name_is_not_enough(message):
    """The proof covers the name, and the name has to be one that the connection is for."""
    kind = P.IDi if message.endswith("request") else P.IDr
    pair = a_peer_that(changes(kind, data=b"other.example"), in_=message)
    pair.establish()
    judge = pair.east if message.endswith("request") else pair.west
    assert judge.seen(PeerRefused)[0].identity == "other.example"
    assert not judge.sas
    anybody = a_peer_that(
        changes(kind, data=b"other.example"),
        in_=message,
        **{"east" if message.endswith("request") else "west": {"peer_id": "%any"}},
    )
    anybody.establish()
    judge = anybody.east if message.endswith("request") else anybody.west
    assert "does not fit our shared secret" in judge.seen(PeerRefused)[0].why


@pytest.mark.conf("IK2-20")
@pytest.mark.parametrize("message", ["IKE_AUTH request", "IKE_AUTH response"])
def test_the_reserved_bytes_of_an_identity_are_ignored_and_yet_covered_by_its_proof(message):
    """RFC 7296 2.15: what is covered is the ID payload as it was sent, without its generic header."""
    is_request = message.endswith("request")
    kind = P.IDi if is_request else P.IDr

    def sign_again(said: Said) -> None:
        sa = (pair.west if is_request else pair.east).endpoint.sas[0]
        at = said.at(kind)
        said.payloads[at] = replace(said.payloads[at], reserved=b"\1\2\3")
        first, nonce = (sa.init_request, sa.nonce_r) if is_request else (sa.init_response, sa.nonce_i)
        key = sa.keys.sk_pi if is_request else sa.keys.sk_pr
        octets = signed_octets(sa.suite.prf, first, nonce, key, said.payloads[at].emit())
        said.payloads[said.at(P.AUTH)].data = psk_auth(sa.suite.prf, b"secret", octets)

    pair = a_peer_that(sign_again, in_=message)
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    unsigned = a_peer_that(changes(kind, reserved=b"\1\2\3"), in_=message)
    unsigned.establish()
    assert (unsigned.east if is_request else unsigned.west).seen(PeerRefused)


RESERVED = {
    "KE": (P.KE, lambda body: body[:2] + b"\xff\xff" + body[4:], "IKE_SA_INIT"),
    "SA": (P.SA, lambda body: body[:1] + b"\xff" + body[2:], "IKE_SA_INIT"),
    "AUTH": (P.AUTH, lambda body: body[:1] + b"\xff\xff\xff" + body[4:], "IKE_AUTH"),
    "TSi": (P.TSi, lambda body: body[:1] + b"\xff\xff\xff" + body[4:], "IKE_AUTH"),
    "TSr": (P.TSr, lambda body: body[:1] + b"\xff\xff\xff" + body[4:], "IKE_AUTH"),
}


@pytest.mark.conf("IK2-20")
@pytest.mark.parametrize(("kind", "change", "exchange"), RESERVED.values(), ids=RESERVED)
@pytest.mark.parametrize("who", ["west", "east"])
def test_reserved_bytes_of_payloads_are_ignored(kind, change, exchange, who):
    pair = a_peer_that(garbles(kind, change), in_=exchange, who=who)
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2


# -- secrets ----------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-50")
def test_a_secret_is_padded_with_the_17_bytes_of_the_rfc():
    """Calculated with nothing of ours: prf(prf(secret, "Key Pad for IKEv2"), octets)."""
    pair = Pair()
    heard: list[Said] = []
    pair = a_peer_that(heard.append, in_="IKE_AUTH request")
    pair.establish()
    west = pair.west.endpoint.sas[0]
    said = heard[0]
    identity = said.payloads[said.at(P.IDi)].emit()
    covered = pair.sent[0].payload + west.nonce_r + hmac.digest(west.keys.sk_pi, identity, "sha256")
    key = hmac.digest(b"secret", b"Key Pad for IKEv2", "sha256")
    assert said.payloads[said.at(P.AUTH)].data == hmac.digest(key, covered, "sha256")


@pytest.mark.conf("IK2-50")
@pytest.mark.parametrize("secret", ["a", "x" * 64, "y" * 65, "z" * 500, "päßwörd", "with spaces and\ttab"])
def test_secrets_of_any_length_work(secret):
    pair = Pair(secrets=(secret, secret))
    pair.establish()
    assert len(pair.west.sas) == 2


@pytest.mark.conf("IK2-50")
@pytest.mark.parametrize("text", ["0x" + "00ff10" * 30, "0sAP8Q", "plain"])
def test_a_secret_may_be_written_in_hexadecimal_in_base64_or_as_it_is(text):
    meant = {"0x": b"\0\xff\x10" * 30, "0s": b"\0\xff\x10"}.get(text[:2], text.encode())
    assert written(text) == meant


# -- identities -------------------------------------------------------------------------------------

NAMES = [
    "192.0.2.1",
    "2001:db8::1",
    "west.example",
    "west@example.org",
    "keyid:west",
    "@#00ff10",
    "C=CH, O=a, CN=west",
]


@pytest.mark.conf("IK2-97")
@pytest.mark.parametrize("name", NAMES)
def test_identities_of_every_kind_can_be_sent_and_are_taken(name):
    pair = Pair(west={"id": name}, east={"peer_id": name})
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    swapped = Pair(west={"peer_id": name}, east={"id": name})
    swapped.establish()
    assert len(swapped.west.sas) == len(swapped.east.sas) == 2


ODD = {
    "no type": (0, b"x"),
    "an unassigned type": (4, b"10.1.0.0/16"),
    "a type of IKEv1": (8, bytes(32)),
    "a type from afar": (200, b"x"),
    "a general name that is none": (IdType.ID_DER_ASN1_GN, b"\xff"),
    "an address of three bytes": (IdType.ID_IPV4_ADDR, b"\1\2\3"),
    "an IPv6 address of four": (IdType.ID_IPV6_ADDR, b"\1\2\3\4"),
    "a name with a null in it": (IdType.ID_FQDN, b"west.example\0.evil"),
    "a mailbox with a null in it": (IdType.ID_RFC822_ADDR, b"a@b\0c"),
    "an empty name": (IdType.ID_FQDN, b""),
}


@pytest.mark.conf("IK2-97")
@pytest.mark.parametrize(("id_type", "data"), ODD.values(), ids=ODD)
def test_identities_that_are_none_are_refused_like_all_others(id_type, data):
    pair = a_peer_that(
        changes(P.IDi, id_type=id_type, data=data), in_="IKE_AUTH request", east={"peer_id": "%any"}
    )
    pair.establish()
    assert len(pair.east.seen(PeerRefused)) == 1
    assert pair.east.drops[0] in (DropReason.AUTH_FAILED, DropReason.ID_MALFORMED)
    assert not pair.east.sas
    assert len(pair.sent[-1].payload) == 65


# -- nonces -----------------------------------------------------------------------------------------


@pytest.mark.conf("IK2-47")
@pytest.mark.parametrize("length", [0, 1, 15, 257, 300])
@pytest.mark.parametrize(
    "message", ["IKE_SA_INIT request", "IKE_SA_INIT response", "CREATE_CHILD_SA request"]
)
def test_nonces_have_16_to_256_bytes(message, length):
    pair = a_peer_that(garbles(P.NONCE, lambda _: bytes(length)), in_=message)
    pair.establish()
    if message.startswith("CREATE"):
        pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
        pair.settle()
    judge = pair.west if message.endswith("response") else pair.east
    assert DropReason.INVALID_SYNTAX in judge.drops
    assert not judge.sas


@pytest.mark.conf("IK2-47")
def test_our_own_nonces_are_long_enough_for_every_prf_and_never_the_same():
    nonces = []
    for seed in range(10):
        pair = Pair(seed=str(seed))
        pair.establish()
        for each in pair.sent[:2]:
            nonces += [it.data for it in parse_message(each.payload)[1] if isinstance(it, Nonce)]
    assert NONCE_LENGTH >= 64 // 2  # half of the longest preferred key, that of HMAC-SHA2-512
    assert {len(each) for each in nonces} == {NONCE_LENGTH}
    assert len(set(nonces)) == len(nonces) == 20


# -- what a peer may go on with ---------------------------------------------------------------------


@pytest.mark.conf("IK2-106")
def test_a_minimal_initiator_is_served():
    """RFC 7815 2.1: it sends two requests, answers INFORMATIONAL with nothing inside, and makes no children."""
    pair = Pair(east={"dpd_delay": SECOND})
    pair.establish()
    for number in range(3):
        pair.wait_until(pair.now + SECOND)
        asked = IkeHeader.parse(pair.deliver().payload)
        assert (asked.message_id, asked.is_response) == (number, False)
        (answer,) = pair.wire
        assert (answer.source, answer.destination) == (WEST, EAST)
        pair.settle()
    assert len(pair.east.sas) == 2
