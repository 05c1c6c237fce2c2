"""The conversations with a charon, as a table."""

from ipsecsim.base.instant import SECOND
from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.ike.config import Childless, Fragmentation, HalfOpenLimits, Mobike
from ipsecsim.ike.retransmit import RetransmitPolicy
from ipsecsim.scenario.lab_pki import Flaw
from tests.interop import failover_plays, fragment_plays, peer_plays, plays, rekey_plays, roam_plays
from tests.interop.address_cases import VISITS
from tests.interop.held import CertificateProof
from tests.interop.lab import OUR_ADDRESS, PEER_ADDRESS, Case
from tests.interop.life_plays import LIVES
from tests.interop.plays import SUITES

CHARON_ASKS = {"options": {"dpd_delay": "1s"}}
WE_ASK = {"dpd_delay": SECOND, "limits": HalfOpenLimits()}
FEW_GROUPS, MORE_GROUPS = "aes256-sha256-modp2048", "aes256-sha256-x25519-modp2048"
ROLES = ("initiator", "responder")
IMPATIENT = RetransmitPolicy(SECOND // 5, tries=2)
QUICK = RetransmitPolicy(SECOND // 2)
LONG_CHAINS = CertificateProof("rsa/pss-sha256", KeyKind.RSA, Flaw.LONG_CHAIN, Flaw.LONG_CHAIN)
FAMILIES = (
    ("3des-sha1-modp1024", "3des-sha1"),
    ("camellia256-sha512-modp2048", "camellia128-sha512"),
    ("aes128ccm16-prfaescmac-ecp521", "aes256ccm8"),
    ("aes256ctr-sha384-prfaesxcbc-ecp224", "aes192ctr-sha384"),
    ("aes128-aesxcbc-modp1536", "aes128-aesxcbc"),
    ("aes192-aescmac-prfsha256-ecp384bp", "chacha20poly1305"),
    ("camellia192-md5-x448", "null-sha256"),
)
"""IKE and ESP: what the other cases do not use."""

_ALL = [
    *(
        Case(f"{ike}, {who}", role, plays.live, ike, esp, **extra)  # type: ignore[arg-type]
        for ike, (esp, _, _) in SUITES.items()
        for role in ROLES
        for who, extra in (("charon asks", CHARON_ASKS), ("we ask", WE_ASK))
    ),
    *(
        Case(f"{ike}", role, plays.up_and_down, ike, esp)
        for ike, esp in (
            ("aes128gcm16-prfsha256-ecp256", "aes128gcm16"),
            ("aes192gcm16-prfsha512-ecp521", "aes192gcm16"),
            ("aes128-sha384-modp3072", "aes128-sha384"),
            ("aes192-sha512-modp4096", "aes192-sha512"),
        )
        for role in ROLES
    ),
    *(
        Case(
            f"identities {ours} and {charons}",
            role,
            plays.up_and_down,
            peer_id=charons,
            our_id=ours,
            expected_id=ours,
        )
        for ours, charons in ((OUR_ADDRESS, PEER_ADDRESS), ("us@example.org", "charon@example.org"))
        for role in ROLES
    ),
    *(Case("ICMP only", role, plays.up_and_down, peer_remote_ts="10.1.0.0/24[icmp]") for role in ROLES),
    *(
        Case("two selectors", role, plays.up_and_down, peer_remote_ts="10.1.0.0/25,10.1.0.128/25")
        for role in ROLES
    ),
    Case("ESN offered", "responder", plays.up_and_down, esp="aes256gcm16-esn-noesn", our_esp="aes256gcm16"),
    Case("PFS offered", "responder", plays.up_and_down, esp="aes256gcm16-x25519", our_esp="aes256gcm16"),
    *(Case("wrong PSK", role, plays.wrong_secret, our_secret="a typo") for role in ROLES),  # noqa: S106 - of a test
    *(
        Case(name, role, plays.proved, proof=CertificateProof(words, kind))
        for name, words, kind in (
            ("RSA PKCS#1", "rsa-sha256", KeyKind.RSA),
            ("RSA PSS", "rsa/pss-sha256", KeyKind.RSA),
            ("ECDSA P-256", "ecdsa-sha256", KeyKind.P256),
            ("ECDSA P-384", "ecdsa-sha384", KeyKind.P384),
            ("ECDSA P-521", "ecdsa-sha512", KeyKind.P521),
            ("Ed25519", "ed25519", KeyKind.ED25519),
            ("Ed448", "ed448", KeyKind.ED448),
        )
        for role in ROLES
    ),
    *(
        Case(
            f"{kind.value} without RFC 7427",
            role,
            plays.proved,
            proof=CertificateProof("pubkey", kind),
            settings={"signature_authentication": "no"},
        )
        for kind in (KeyKind.RSA, KeyKind.P256, KeyKind.P384, KeyKind.P521)
        for role in ROLES
    ),
    *(
        Case(f"{whose} certificate {flaw.value}", role, plays.refused_certificate, proof=proof)
        for flaw in (Flaw.UNKNOWN_CA, Flaw.WRONG_NAME, Flaw.EXPIRED, Flaw.REVOKED)
        for whose, proof in (
            ("our", CertificateProof(our_flaw=flaw)),
            ("charon's", CertificateProof(peer_flaw=flaw)),
        )
        for role in ROLES
    ),
    *(
        Case(name, role, fragment_plays.fragments_both_ways, ike=ike, proof=LONG_CHAINS, **extra)  # type: ignore[arg-type]
        for name, ike, extra in (
            (
                "IKE fragments of 576 B",
                "aes256gcm16-prfsha256-x25519",
                {"settings": {"fragment_size": "576"}},
            ),
            ("IKE fragments of 300 B, CBC", "aes256-sha512-ecp256", {"fragment_size": 300}),
        )
        for role in ROLES
    ),
    *(
        Case(
            f"no IKE fragments: {who}",
            role,
            fragment_plays.no_fragments,
            proof=LONG_CHAINS,
            **extra,
        )  # type: ignore[arg-type]
        for who, extra in (
            ("charon wants none", {"options": {"fragmentation": "no"}}),
            ("we want none", {"fragmentation": Fragmentation.NO}),
        )
        for role in ROLES
    ),
    Case(
        "a lost IKE fragment", "initiator", fragment_plays.lost_fragment, proof=LONG_CHAINS, retransmit=QUICK
    ),
    Case(
        "a path that takes less than our IKE fragments",
        "initiator",
        fragment_plays.narrow_path,
        proof=LONG_CHAINS,
        fragment_size=1500,
        retransmit=QUICK,
    ),
    *(Case("wrong identity", role, plays.wrong_identity, our_id="stranger.example") for role in ROLES),
    *(
        Case("no IKE proposal", role, plays.no_proposal, our_ike="aes128gcm16-prfsha256-x25519")
        for role in ROLES
    ),
    *(Case("no ESP proposal", role, plays.no_child_proposal, our_esp="aes128gcm16") for role in ROLES),
    Case("no common traffic", "initiator", plays.no_common_traffic, our_remote_ts="10.9.0.0/24"),
    Case("no common traffic", "responder", plays.no_common_traffic, peer_remote_ts="10.9.0.0/24"),
    Case("INVALID_KE", "initiator", plays.wrong_group, FEW_GROUPS, our_ike=MORE_GROUPS),
    Case(
        "INVALID_KE", "responder", plays.wrong_group, MORE_GROUPS, our_ike=FEW_GROUPS, limits=HalfOpenLimits()
    ),
    Case("INVALID_KE after COOKIE", "responder", plays.wrong_group, MORE_GROUPS, our_ike=FEW_GROUPS),
    Case("COOKIE", "initiator", plays.cookie, settings={"cookie_threshold": "1", "block_threshold": "0"}),
    Case("COOKIE", "responder", plays.cookie),
    Case("narrowing", "initiator", plays.narrowed, our_remote_ts="10.2.0.0/16"),
    Case("narrowing", "responder", plays.narrowed, peer_remote_ts="10.1.0.0/16"),
    Case("trap", "initiator", plays.trap),
    *(Case("child deleted", role, plays.child_deleted) for role in ROLES),
    *(
        Case(f"new keys for the child, {how}", role, rekey_plays.child_rekeyed, esp=esp)
        for how, esp in (("without PFS", "aes256gcm16"), ("with PFS", "aes256gcm16-x25519"))
        for role in ROLES
    ),
    *(Case("new keys for the IKE SA", role, rekey_plays.ike_rekeyed) for role in ROLES),
    *(Case("crossed child rekeys", role, rekey_plays.crossed_child_rekeys) for role in ROLES),
    *(Case("crossed IKE rekeys", role, rekey_plays.crossed_ike_rekeys) for role in ROLES),
    *(Case("crossed deletes", role, rekey_plays.crossed_deletes) for role in ROLES),
    *(Case("a second child", role, rekey_plays.second_child, second_net="10.3.0.0/24") for role in ROLES),
    Case(
        "dead peer, we ask", "initiator", rekey_plays.dead_peer, dpd_delay=SECOND // 2, retransmit=IMPATIENT
    ),
    Case(
        "dead peer, charon asks",
        "responder",
        rekey_plays.dead_peer,
        options={"dpd_delay": "1s"},
        settings={"retransmit_timeout": "0.3", "retransmit_tries": "2"},
    ),
    *(
        Case(f"{ike}, {esp}", role, rekey_plays.algorithms, ike, esp)
        for ike, esp in FAMILIES
        for role in ROLES
    ),
    *LIVES,
    *(Case("forgets and comes back", role, peer_plays.comes_back) for role in ROLES),
    Case("childless", "initiator", peer_plays.made_childless, childless=Childless.PREFER),
    Case("childless", "responder", peer_plays.made_childless, options={"childless": "force"}),
    *(Case("masquerade", role, peer_plays.masqueraded, is_masqueraded=True) for role in ROLES),
    Case("begun at once", "initiator", peer_plays.begun_at_once, limits=HalfOpenLimits()),
    *VISITS,
    *(Case("MOBIKE, we move", role, roam_plays.we_move, mobike=Mobike()) for role in ROLES),
    *(Case("MOBIKE, charon moves", role, roam_plays.charon_moves, mobike=Mobike()) for role in ROLES),
    Case(
        # charon counts the IVs of AES-GCM by message ID, and has none for a second message with ID 0
        "failover, we take over",
        "responder",
        failover_plays.we_take_over,
        "aes256-sha256-x25519",
        message_id_sync=True,
    ),
    *(Case("crossing DELETEs", role, plays.crossing_deletes) for role in ROLES),
    Case(
        "lost answers",
        "responder",
        plays.lost_answers,
        limits=HalfOpenLimits(),
        settings={"retransmit_timeout": "0.3"},
    ),
]
CASES = {case.key: case for case in _ALL}
