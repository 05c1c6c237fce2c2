"""Two ends that prove themselves with certificates: whom they believe, and why they do not believe others."""

import dataclasses

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import CALENDAR_START, SECOND
from ipsecsim.crypto.certificate_path import LONGEST, Known, Revocation
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.ike.config import AuthKind, LocalAuth, RemoteAuth, SendCert
from ipsecsim.ike.credentials import OwnKey
from ipsecsim.ike.events import (
    ChainBelieved,
    ChildSaCreated,
    IkeMessageSent,
    NotifyReceived,
    PeerAuthenticated,
    PeerRefused,
    TrustEnded,
)
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2.peer import certificates
from ipsecsim.scenario.lab_pki import DAY, YEAR, Flaw, LabPki
from ipsecsim.wire.ike.certificate import CertificatePayload
from ipsecsim.wire.ike.numbers import CertificateEncoding, IdType
from tests.support.certificates import certificate
from tests.support.pair import Pair
from tests.support.proving import pair_of, refused_by_east, up

PUBKEY, PSK = AuthKind.PUBKEY, AuthKind.PSK
MONTH_END = 30 * DAY * SECOND  # the lab's revocation lists are due then


def payloads(pair: Pair, side: str, number: int) -> tuple[str, ...]:
    return getattr(pair, side).seen(IkeMessageSent)[number].payloads


# -- good ones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KeyKind)
def test_every_kind_of_key_proves_both_ends(kind):
    pair = up(pair_of({"kind": kind}, {"kind": kind}))
    for side, peer in ((pair.west, "east"), (pair.east, "west")):
        (event,) = side.seen(PeerAuthenticated)
        assert event.identity == f"{peer}.example"
        assert kind.value.split()[0] in event.method
        assert side.seen(ChainBelieved)[0].subjects == (
            f"O=ipsecsim lab, CN={peer}",
            "O=ipsecsim lab, CN=issuing",
            "O=ipsecsim lab, CN=root",
        )
    assert payloads(pair, "west", 1) == (
        *("IDi", "CERT", "CERT", "N(INITIAL_CONTACT)", "CERTREQ", "IDr", "AUTH"),
        *("SA", "TSi", "TSr"),
    )
    assert payloads(pair, "east", 0)[-2:] == ("N(SIGNATURE_HASH_ALGORITHMS)", "CERTREQ")
    assert payloads(pair, "east", 1) == ("IDr", "CERT", "CERT", "AUTH", "SA", "TSi", "TSr")


def test_each_end_may_have_another_kind_of_key_and_the_same_seed_gives_the_same_octets():
    kinds = {"kind": KeyKind.RSA}, {"kind": KeyKind.ED448}
    one, two = (up(pair_of(*kinds)) for _ in range(2))
    assert [each.payload for each in one.sent] == [each.payload for each in two.sent]
    unwatched = pair_of(*kinds, watched=False)
    unwatched.establish()
    assert [each.payload for each in one.sent] == [each.payload for each in unwatched.sent]


@pytest.mark.conf("IK2-98")
def test_a_long_chain_is_sent_and_believed():
    pair = up(pair_of({"flaw": Flaw.LONG_CHAIN}))
    assert payloads(pair, "west", 1).count("CERT") == 4
    assert len(pair.east.seen(ChainBelieved)[0].subjects) == 5


@pytest.mark.conf("IK2-123")
@pytest.mark.parametrize(
    "identity",
    ["west.example", "west@example.org", "192.0.2.1", "2001:db8::1", "O=ipsecsim lab, CN=the west"],
)
def test_identities_of_every_kind_stand_in_the_certificate(identity):
    pair = up(pair_of({"id": identity}, {"peer_id": identity}))
    assert pair.east.seen(PeerAuthenticated)[0].identity == identity


@pytest.mark.conf("IK2-123")
def test_a_key_id_is_that_of_the_key_in_the_certificate():
    own = LabPki("1").own_key("west", [])
    identity = f"@#{own.certificates[0].key_identifier.hex()}"
    up(pair_of({"id": identity}, {"peer_id": identity}))
    other = f"@#{bytes(20).hex()}"
    assert "AUTH_CERT_ID_MISMATCH" in refused_by_east(pair_of({"id": other}, {"peer_id": other}))


@pytest.mark.conf("IK2-123")
def test_one_side_may_have_a_certificate_and_the_other_a_secret():
    secret, public = LocalAuth(PSK), LocalAuth(PUBKEY)
    pair = up(
        pair_of(
            {"local_auth": secret, "remote_auth": RemoteAuth(PUBKEY)},
            {"local_auth": public, "remote_auth": RemoteAuth(PSK)},
        )
    )
    assert pair.east.seen(PeerAuthenticated)[0].method == "pre-shared key"
    assert "ECDSA" in pair.west.seen(PeerAuthenticated)[0].method
    assert "CERTREQ" not in payloads(pair, "east", 0)


# -- bad ones -----------------------------------------------------------------------------------------

FLAWS = {
    Flaw.EXPIRED: "is no longer valid (AUTH_CERT_EXPIRED)",
    Flaw.NOT_YET_VALID: "is not valid yet (AUTH_CERT_EXPIRED)",
    Flaw.REVOKED: "was revoked (AUTH_CERT_UNTRUSTED)",
    Flaw.WRONG_NAME: "does not carry this name (AUTH_CERT_ID_MISMATCH)",
    Flaw.UNKNOWN_CA: "to a trusted root (AUTH_CERT_UNTRUSTED)",
}


@pytest.mark.parametrize(("flaw", "words"), FLAWS.items())
def test_a_bad_certificate_is_refused_and_only_the_refusing_side_knows_why(flaw, words):
    pair = pair_of({"flaw": flaw})
    assert refused_by_east(pair).endswith(words)
    assert pair.east.drops == [DropReason.CERT_CONSTRAINT]
    assert not pair.west.seen(PeerRefused)


@pytest.mark.parametrize(("flaw", "words"), FLAWS.items())
def test_the_initiator_refuses_and_tells_the_responder_that_it_does(flaw, words):
    pair = pair_of(east={"flaw": flaw})
    pair.establish()
    assert pair.west.seen(PeerRefused)[0].why.endswith(words)
    assert payloads(pair, "west", -1) == ("N(AUTHENTICATION_FAILED)",)
    for side in (pair.west, pair.east):
        assert not side.endpoint.sas
        assert not side.sas
    assert not pair.west.seen(ChildSaCreated)


def test_all_refusals_have_the_same_length_on_the_wire():
    lengths = set()
    for flaw in FLAWS:
        pair = pair_of({"flaw": flaw})
        pair.establish()
        lengths.add(len(pair.sent[-1].payload))
    assert len(lengths) == 1


@pytest.mark.conf("ARC-18", "IK2-51")
def test_the_certificate_of_one_does_not_prove_the_name_of_another():
    pair = pair_of({"id": "north.example", "names": ["west.example"]}, {"peer_id": "north.example"})
    assert "AUTH_CERT_ID_MISMATCH" in refused_by_east(pair)


@pytest.mark.hos("HOS-76")
def test_a_good_certificate_of_another_key_proves_nothing():
    west, thief = (
        LabPki("1").own_key(name, [Identity.from_text("west.example")]) for name in ("west", "thief")
    )
    stolen = OwnKey("west", thief.key, west.certificates)
    assert "does not fit the key" in refused_by_east(pair_of({"keys": [stolen]}))


def test_a_pinned_certificate_lets_no_other_pass():
    pki = LabPki("1")
    west, other = (pki.own_key(name, [Identity.from_text("west.example")]) for name in ("west", "other"))
    pinned = RemoteAuth(PUBKEY, certificates=(west.certificates[0],))
    up(pair_of({"keys": [west]}, {"remote_auth": pinned}))
    assert "none of those we take" in refused_by_east(pair_of({"keys": [other]}, {"remote_auth": pinned}))


def test_an_authority_may_be_asked_for_by_name():
    pki = LabPki("1")
    team = RemoteAuth(PUBKEY, authorities=(pki.authority("team").certificate,))
    up(pair_of({"flaw": Flaw.LONG_CHAIN}, {"remote_auth": team}))
    assert "AUTH_CERT_UNTRUSTED" in refused_by_east(pair_of({}, {"remote_auth": team}))
    stranger = RemoteAuth(PUBKEY, authorities=(pki.authority("stranger").certificate,))
    up(pair_of({"flaw": Flaw.UNKNOWN_CA}, {"remote_auth": stranger}))


def test_strict_revocation_needs_a_list():
    strict = RemoteAuth(PUBKEY, revocation=Revocation.STRICT)
    up(pair_of({}, {"remote_auth": strict}))
    roots = Known((LabPki("1").root.certificate,))
    pair = pair_of({}, {"remote_auth": strict, "known": roots})
    assert "no fresh revocation list" in refused_by_east(pair)
    up(pair_of({}, {"known": roots}))


# -- what is sent and asked for -----------------------------------------------------------------------


def test_without_being_asked_no_certificate_is_sent():
    quiet = RemoteAuth(PUBKEY, send_certreq=False)
    pair = pair_of({}, {"remote_auth": quiet})
    assert "AUTH_CERT_UNTRUSTED" in refused_by_east(pair)
    assert "CERT" not in payloads(pair, "west", 1)
    assert "CERTREQ" not in payloads(pair, "east", 0)
    always = LocalAuth(PUBKEY, send_cert=SendCert.ALWAYS)
    up(pair_of({"local_auth": always}, {"remote_auth": quiet}))


def test_a_certificate_that_is_known_need_not_be_sent():
    pki = LabPki("1")
    west = pki.own_key("west", [Identity.from_text("west.example")])
    never = LocalAuth(PUBKEY, send_cert=SendCert.NEVER)
    pinned = RemoteAuth(PUBKEY, certificates=(west.certificates[0],))
    known = dataclasses.replace(pki.known(), others=(pki.issuing.certificate,))
    pair = up(pair_of({"local_auth": never}, {"remote_auth": pinned, "known": known}))
    assert "CERT" not in payloads(pair, "west", 1)


def test_of_several_keys_the_one_that_the_peer_asks_for_is_taken():
    pki = LabPki("1")
    names = [Identity.from_text("west.example")]
    strange, good = pki.own_key("strange", names, Flaw.UNKNOWN_CA), pki.own_key("good", names)
    up(pair_of({"keys": [strange, good]}))
    wrong = pki.own_key("wrong", [], Flaw.WRONG_NAME)
    up(pair_of({"keys": [wrong, good]}))
    only = LocalAuth(PUBKEY, keys=("strange",))
    assert "to a trusted root" in refused_by_east(pair_of({"keys": [strange, good], "local_auth": only}))


def test_a_side_without_any_key_can_prove_nothing():
    pair = pair_of({"keys": []})
    pair.establish()
    assert pair.west.drops == [DropReason.AUTH_FAILED]
    assert not pair.west.endpoint.sas
    pair = pair_of(east={"keys": []})
    pair.establish()
    assert pair.east.drops == [DropReason.AUTH_FAILED]
    assert pair.west.seen(NotifyReceived) == [NotifyReceived("AUTHENTICATION_FAILED", "IKE_AUTH")]


def test_bare_public_keys_are_believed_when_they_are_known():
    """RFC 7670."""
    west, east = (LabPki("1").own_key(name, []) for name in ("west", "east"))
    raw = LocalAuth(PUBKEY, is_raw=True)

    def side(own, peer, **more):
        return {
            "keys": [OwnKey("bare", own.key)],
            "local_auth": raw,
            "remote_auth": RemoteAuth(PUBKEY, public_keys=(peer.key.public,)),
            **more,
        }

    pair = up(pair_of(side(west, east), side(east, west), pki=None))
    assert not pair.east.seen(ChainBelieved)
    assert payloads(pair, "west", 1).count("CERT") == 1
    assert pair.east.seen(PeerAuthenticated)[0].identity == "west.example"
    stranger = LabPki("2").own_key("west", [])
    assert "none of those we know" in refused_by_east(
        pair_of(side(stranger, east), side(east, west), pki=None)
    )
    # a known key need not be sent
    never = LocalAuth(PUBKEY, is_raw=True, send_cert=SendCert.NEVER)
    up(pair_of(side(west, east, local_auth=never), side(east, west), pki=None))


@pytest.mark.hos("HOS-68")
@pytest.mark.conf("IK2-98")
@pytest.mark.parametrize("encoding", [12, 13])
def test_a_certificate_behind_a_url_is_not_fetched(encoding):
    url = CertificatePayload(encoding, bytes(20) + b"http://127.0.0.1:1/certificate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "to_show", lambda sa, own: [url] if sa.is_initiator else [])
        why = refused_by_east(pair_of())
    assert why == "it only says where its certificate is, and none is known (AUTH_CERT_UNTRUSTED)"


@pytest.mark.conf("IK2-98")
def test_other_encodings_are_passed_over():
    original = certificates.to_show
    strange = [CertificatePayload(encoding, b"anything") for encoding in (1, 2, 3, 6, 8, 9, 10, 11, 99)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "to_show", lambda sa, own: strange + original(sa, own))
        up(pair_of())


def test_a_revocation_list_may_be_sent_along():
    pki = LabPki("1")
    west = pki.own_key("west", [Identity.from_text("west.example")], Flaw.REVOKED)
    lists = [CertificatePayload(CertificateEncoding.CRL, each.der) for each in pki.known().lists]
    roots = Known((pki.root.certificate,))
    original = certificates.to_show
    up(pair_of({"keys": [west]}, {"known": roots}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "to_show", lambda sa, own: [*original(sa, own), *lists])
        assert "was revoked" in refused_by_east(pair_of({"keys": [west]}, {"known": roots}))
        patch.setattr(certificates, "to_show", lambda sa, own: [*original(sa, own), *lists * 3])
        assert "revocation lists" in refused_by_east(pair_of({"keys": [west]}, {"known": roots}))


# -- hostile payloads ---------------------------------------------------------------------------------


def showing(*octets: bytes) -> dict[str, object]:
    """West shows these instead of its certificates."""
    own = LabPki("1").own_key("west", [Identity.from_text("west.example")])
    leaf = own.certificates[0]
    shown = tuple(dataclasses.replace(leaf, der=each, issuer=b"") for each in octets)
    return {
        "keys": [OwnKey("west", own.key, shown)],
        "local_auth": LocalAuth(PUBKEY, send_cert=SendCert.ALWAYS),
    }


def bad_key() -> bytes:
    """A certificate whose key is a point off the curve."""
    good = LabPki("1").own_key("west", []).certificates[0]
    assert isinstance(good, Certificate)
    end = good.der.index(good.key.info) + len(good.key.info)
    return good.der[: end - 1] + bytes([good.der[end - 1] ^ 1]) + good.der[end:]


def rsa_with(exponent: bytes) -> bytes:
    """A certificate for an RSA key with this exponent, as an INTEGER of three bytes."""
    good = LabPki("1").own_key("west", [], kind=KeyKind.RSA).certificates[0]
    return good.der.replace(b"\x02\x03\x01\x00\x01", exponent)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ([b""], DropReason.CERT_MALFORMED),
        ([b"nothing"], DropReason.CERT_MALFORMED),
        ([b"\x30\x80" * 2000], DropReason.CERT_MALFORMED),
        ([bytes(20_000)], DropReason.CERT_MALFORMED),
        ([bad_key()], DropReason.CERT_BAD_KEY),
        ([rsa_with(b"\x02\x03\x00\x00\x00")], DropReason.CERT_BAD_KEY),  # not even a number
        ([rsa_with(b"\x02\x03\x01\x00\x00")], DropReason.CERT_BAD_KEY),  # an even exponent
        ([certificate("x").der] * (LONGEST + 1), DropReason.CERT_MALFORMED),
        ([certificate("x").der] * LONGEST, DropReason.CERT_CONSTRAINT),
    ],
)
@pytest.mark.hos("HOS-57", "HOS-59", "HOS-60")
def test_certificates_that_are_none_end_in_their_reasons(octets, reason):
    pair = pair_of(showing(*octets))
    assert refused_by_east(pair)
    assert pair.east.drops == [reason]


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (Identity(IdType.ID_IPV4_ADDR, bytes(5)), DropReason.ID_MALFORMED),
        (Identity(IdType.ID_FQDN, b"west.example\0"), DropReason.ID_MALFORMED),
        (Identity(IdType.ID_DER_ASN1_DN, b"\x30\x05"), DropReason.ID_MALFORMED),
        (Identity(IdType.ID_FQDN, b"w" * 600), DropReason.ID_TOO_LONG),
        (Identity(IdType.ID_KEY_ID, bytes(60_000)), DropReason.ID_TOO_LONG),
    ],
)
@pytest.mark.parametrize("pki", [None, LabPki("1")])
@pytest.mark.hos("HOS-16", "HOS-19", "HOS-79", "HOS-80")
def test_identities_that_are_none_end_in_their_reasons(identity, reason, pki):
    pair = pair_of(pki=pki, east={"peer_id": "%any"})
    connection = dataclasses.replace(pair.west.endpoint.connections[0], local_id=identity)
    pair.west.endpoint.connections = (connection,)
    assert refused_by_east(pair)
    assert pair.east.drops == [reason]


def test_the_responders_identity_is_looked_at_as_well():
    pair = pair_of({"peer_id": "%any"})
    connection = dataclasses.replace(
        pair.east.endpoint.connections[0], local_id=Identity(IdType.ID_IPV6_ADDR, bytes(4))
    )
    pair.east.endpoint.connections = (connection,)
    pair.establish()
    assert pair.west.seen(PeerRefused)[0].why
    assert not pair.east.endpoint.sas


# -- how long it is believed --------------------------------------------------------------------------


@pytest.mark.conf("ARC-55")
@pytest.mark.fault("FLT-31")
def test_an_sa_ends_when_the_next_revocation_list_is_due():
    pair = up(pair_of())
    pair.wait_until(MONTH_END - 1)
    assert pair.west.sas
    pair.wait_until(MONTH_END)
    assert pair.west.seen(TrustEnded)
    pair.settle()
    for side in (pair.west, pair.east):
        assert not side.sas
        assert not side.endpoint.sas


@pytest.mark.conf("ARC-55")
@pytest.mark.fault("FLT-31")
def test_an_sa_ends_with_the_certificate_whatever_replaced_it_meanwhile():
    hour = 3600
    pki = LabPki("1", start=CALENDAR_START - YEAR + hour)  # its certificates end an hour after the run begins
    pair = up(pair_of(pki=pki))
    assert pair.east.seen(ChainBelieved)[0].until == CALENDAR_START + hour
    pair.perform(pair.west, pair.west.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    pair.wait_until(hour * SECOND - 1)
    assert len(pair.west.sas) == 2
    pair.wait_until(hour * SECOND)
    pair.settle()
    assert pair.west.seen(TrustEnded)
    for side in (pair.west, pair.east):
        assert not side.sas
        assert not side.endpoint.sas
    pair.wait_until(hour * SECOND + SECOND)
    pair.initiate()
    pair.settle()
    assert "AUTH_CERT_EXPIRED" in pair.east.seen(PeerRefused)[-1].why


def test_a_secret_has_no_end():
    pair = Pair()
    pair.establish()
    pair.wait_until(20 * 365 * DAY * SECOND)
    assert pair.west.sas
