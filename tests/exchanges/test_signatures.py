"""How two ends sign: which method, which hash, and what is refused (RFC 7427, RFC 8420, RFC 4754)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.crypto.signatures import CLASSIC, SIGNATURES
from ipsecsim.ike.config import AuthKind, LocalAuth, RemoteAuth
from ipsecsim.ike.events import (
    IkeMessageSent,
    NotifyReceived,
    PeerAuthenticated,
    PeerRefused,
    WeakKeyTaken,
)
from ipsecsim.ike.v2.peer import proof
from ipsecsim.scenario.lab_pki import LabPki
from ipsecsim.scenario.swanctl.auth import auth_words
from ipsecsim.wire.ike.auth import Authentication, DigitalSignature
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import AuthMethod, HashAlgorithm, NotifyType
from tests.support.pair import Pair
from tests.support.proving import pair_of, refused_by_east, up

OLD = tuple(CLASSIC.values())
RSA = {"kind": KeyKind.RSA}


def speaks(*words: str, sends: str = "") -> dict[str, object]:
    """A side that takes only these signatures, and makes those of `sends`, or the same."""
    taken = tuple(row for word in words for row in auth_words(word).schemes)
    made = auth_words(sends).schemes if sends else taken
    return {
        "local_auth": LocalAuth(AuthKind.PUBKEY, made),
        "remote_auth": RemoteAuth(AuthKind.PUBKEY, taken),
    }


OLD_ONLY = {
    "local_auth": LocalAuth(AuthKind.PUBKEY, OLD),
    "remote_auth": RemoteAuth(AuthKind.PUBKEY, OLD),
}


def announced(pair: Pair, number: int) -> list[int] | None:
    """The hashes in a message of IKE_SA_INIT."""
    _, payloads = parse_message(pair.sent[number].payload)
    for each in payloads:
        if isinstance(each, Notify) and each.notify_type == NotifyType.SIGNATURE_HASH_ALGORITHMS:
            assert (each.protocol, each.spi) == (0, b"")
            return [int.from_bytes(each.data[at : at + 2], "big") for at in range(0, len(each.data), 2)]
    return None


def how(pair: Pair) -> tuple[str, str]:
    """How west proved itself to east, and east to west."""
    return tuple(side.seen(PeerAuthenticated)[0].method.split(",")[0] for side in (pair.east, pair.west))


# -- which method -------------------------------------------------------------------------------------


@pytest.mark.conf("SIG-01", "SIG-09")
@pytest.mark.parametrize("west_is_old", [False, True])
@pytest.mark.parametrize("east_is_old", [False, True])
@pytest.mark.parametrize("kind", [KeyKind.RSA, KeyKind.P256, KeyKind.P384, KeyKind.P521])
def test_method_14_is_used_when_both_announce_it_and_only_then(kind, west_is_old, east_is_old):
    west, east = ({"kind": kind} | (OLD_ONLY if is_old else {}) for is_old in (west_is_old, east_is_old))
    pair = up(pair_of(west, east))
    assert (announced(pair, 0) is None) is west_is_old
    assert (announced(pair, 1) is None) is east_is_old
    both_are_new = not west_is_old and not east_is_old
    for method in how(pair):
        is_new = method in {row.name for row in SIGNATURES}
        assert is_new is both_are_new, method
        assert is_new or method in {row.name for row in OLD}


def test_sha_1_in_method_1_is_taken_and_called_weak():
    pair = up(pair_of(RSA | OLD_ONLY, RSA))
    assert pair.east.seen(WeakKeyTaken)[0].what == "RSA signature, RSA 2048"


@pytest.mark.parametrize("kind", [KeyKind.ED25519, KeyKind.ED448])
def test_eddsa_has_no_old_way(kind):
    pair = pair_of({"kind": kind}, OLD_ONLY)
    pair.establish()
    assert pair.west.drops == [DropReason.AUTH_FAILED]
    assert not pair.west.endpoint.sas


@pytest.mark.conf("SIG-09")
def test_an_old_method_is_refused_where_both_have_announced_the_new_one():
    pair = pair_of(RSA, RSA)
    pair.initiate()
    pair.deliver()
    answer_arrives(pair, None)
    assert "though both sides speak RFC 7427" in pair.east.seen(PeerRefused)[0].why
    assert pair.east.drops == [DropReason.SIG_PARAMS]


def answer_arrives(pair: Pair, hashes: frozenset[int] | None) -> None:
    """IKE_SA_INIT's answer reaches a west that reads these hashes in it, whatever it says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ipsecsim.ike.v2.exchanges.ike_sa_init.read_hashes", lambda message: hashes)
        pair.deliver()
    pair.settle()


def test_a_digital_signature_of_a_peer_that_never_announced_it_is_refused():
    pair = pair_of()
    pair.initiate()
    pair.deliver()
    pair.east.endpoint.sas[0].wishes.hashes = None
    pair.settle()
    assert "never said that it speaks RFC 7427" in pair.east.seen(PeerRefused)[0].why


# -- which hash ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["pubkey"], [2, 3, 4, 5]),
        (["ecdsa"], [2, 3, 4]),
        (["ecdsa-sha384"], [3]),
        (["rsa/pss-sha256-sha512"], [2, 4]),
        (["ed25519"], [5]),
        (["ed448-rsa-sha256"], [2, 5]),
    ],
)
@pytest.mark.conf("SIG-05")
def test_the_hashes_of_the_signatures_we_take_are_announced_and_no_others(words, numbers):
    """RFC 8420 3: the Identity hash exactly where EdDSA is configured."""
    pair = pair_of(speaks(*words, sends="pubkey"), speaks("pubkey"))
    pair.initiate()
    assert announced(pair, 0) == numbers


def test_who_knows_secrets_only_announces_nothing():
    pair = Pair()
    pair.establish()
    assert announced(pair, 0) is announced(pair, 1) is None


@pytest.mark.parametrize(
    ("kind", "wish", "made"),
    [
        (KeyKind.P256, "ecdsa", "ECDSA with SHA2-256"),
        (KeyKind.P384, "ecdsa", "ECDSA with SHA2-384"),
        (KeyKind.P521, "ecdsa", "ECDSA with SHA2-512"),
        (KeyKind.P256, "ecdsa-sha512", "ECDSA with SHA2-512"),
        (KeyKind.P521, "ecdsa-sha256", "ECDSA with SHA2-256"),
        (KeyKind.RSA, "pubkey", "RSASSA-PSS with SHA2-256"),
        (KeyKind.RSA, "rsa/pss-sha512", "RSASSA-PSS with SHA2-512"),
        (KeyKind.ED448, "ed448", "Ed448"),
    ],
)
def test_the_hash_is_one_of_the_peers(kind, wish, made):
    pair = up(pair_of({"kind": kind}, speaks(wish, sends="pubkey")))
    assert how(pair)[0] == made


def test_rsa_may_be_told_which_padding_to_use():
    up(pair_of(RSA | speaks("pubkey", sends="rsa-sha384"), RSA))
    pair = up(pair_of(RSA | speaks("pubkey", sends="rsa"), RSA | speaks("pubkey", sends="rsa/pss-sha384")))
    assert how(pair) == ("RSASSA-PKCS1-v1_5 with SHA2-256", "RSASSA-PSS with SHA2-384")


@pytest.mark.conf("SIG-04", "SIG-05")
@pytest.mark.parametrize(
    ("kind", "hashes"),
    [
        (KeyKind.P256, {HashAlgorithm.SHA1}),
        (KeyKind.RSA, {HashAlgorithm.SHA1}),
        (KeyKind.P256, {HashAlgorithm.IDENTITY}),
        (KeyKind.ED25519, {HashAlgorithm.SHA2_256, HashAlgorithm.SHA2_384, HashAlgorithm.SHA2_512}),
        (KeyKind.RSA, {99}),
        (KeyKind.RSA, set()),
    ],
)
def test_nothing_is_signed_with_a_hash_that_the_peer_did_not_list(kind, hashes):
    pair = pair_of({"kind": kind}, {"kind": kind})
    pair.initiate()
    pair.deliver()
    # the responder sees what this initiator listed
    pair.east.endpoint.sas[0].wishes.hashes = frozenset(hashes)
    pair.settle()
    assert pair.east.drops == [DropReason.AUTH_FAILED]
    assert pair.west.seen(NotifyReceived) == [NotifyReceived("AUTHENTICATION_FAILED", "IKE_AUTH")]
    assert not any("AUTH" in each.payloads for each in pair.east.seen(IkeMessageSent))


@pytest.mark.conf("SIG-01")
def test_a_signature_with_a_hash_that_was_not_asked_for_is_refused():
    pair = pair_of({}, speaks("ecdsa-sha384", sends="pubkey"))
    pair.initiate()
    pair.deliver()
    assert announced(pair, 1) == [3]
    answer_arrives(pair, frozenset([2]))
    assert "ECDSA with SHA2-256 is none of the signatures we take" in pair.east.seen(PeerRefused)[0].why
    assert pair.east.drops == [DropReason.SIG_PARAMS]


def test_a_kind_of_key_that_was_not_asked_for_is_refused():
    assert "none of the signatures we take" in refused_by_east(
        pair_of({"kind": KeyKind.RSA}, speaks("ecdsa", sends="pubkey"))
    )


# -- what the AUTH payload holds ----------------------------------------------------------------------


def sending(pair: Pair, change) -> str:
    """West's AUTH payload is changed before it is sealed; why east refuses it."""
    original = proof.ours

    def changed(sa, *arguments):
        made = original(sa, *arguments)
        if sa.is_initiator:
            made.auth.data = change(made.auth.data)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proof, "ours", changed)
        return refused_by_east(pair)


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("kind", KeyKind)
def test_a_signature_with_a_flipped_bit_is_refused(kind):
    pair = pair_of({"kind": kind})
    assert "does not fit the key" in sending(pair, flip)
    assert pair.east.drops == [DropReason.AUTH_FAILED]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", DropReason.SIG_PARAMS),
        (lambda data: b"\0" + data[1:], DropReason.SIG_PARAMS),
        (lambda data: b"\xff" + data[1:], DropReason.SIG_PARAMS),
        (lambda data: bytes([data[0] + 1]) + data[1:], DropReason.SIG_PARAMS),
        (lambda data: data[: data[0] + 1], DropReason.AUTH_FAILED),  # no signature at all
        (lambda data: data[: data[0] + 1] + bytes(64), DropReason.AUTH_FAILED),
        (lambda data: data + b"\0", DropReason.AUTH_FAILED),
        (
            lambda data: DigitalSignature(bytes.fromhex("300906072a8648ce3d0401"), data).emit(),
            DropReason.SIG_PARAMS,
        ),
        # the right signature, and another algorithm in front of it
        (
            lambda data: DigitalSignature(
                bytes.fromhex("300a06082a8648ce3d040303"), DigitalSignature.parse(data).signature
            ).emit(),
            DropReason.AUTH_FAILED,
        ),
    ],
)
@pytest.mark.hos("HOS-17")
@pytest.mark.conf("SIG-02")
def test_auth_data_that_is_no_signature_ends_in_its_reason(change, reason):
    pair = pair_of()
    assert sending(pair, change)
    assert pair.east.drops == [reason]


def test_the_method_byte_is_14():
    made = Authentication(AuthMethod.DIGITAL_SIGNATURE, b"").emit()
    assert made == bytes([14, 0, 0, 0])


def test_every_row_has_words_that_ask_for_it():
    pki = LabPki("1")
    for row in SIGNATURES:
        kind = row.kinds[0]
        pair = up(pair_of({"kind": kind} | speaks(row.word), {"kind": kind} | speaks(row.word), pki=pki))
        assert how(pair) == (row.name, row.name)
