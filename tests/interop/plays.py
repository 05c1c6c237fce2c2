"""What is said in each conversation with a charon, step by step."""

import asyncio

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import PacketDropped
from ipsecsim.crypto.signatures import CLASSIC
from ipsecsim.emulation.gateway import COOKIES_ALWAYS
from ipsecsim.emulation.vici_text import Table, inner
from ipsecsim.ike.events import (
    ChildSaFailed,
    CookieDemanded,
    CookieReturned,
    GroupChanged,
    IkeMessageReceived,
    IkeMessageSent,
    LivenessChecked,
    MessageRetransmitted,
    NotifyReceived,
    PeerAuthenticated,
    PeerRefused,
    ResponseRepeated,
    SelectorsNarrowed,
)
from ipsecsim.ike.v2.messages.doubt import DOUBT_TIME
from ipsecsim.scenario.lab_pki import Flaw
from ipsecsim.scenario.swanctl.auth import auth_words
from tests.interop.half_open import leave_half_open
from tests.interop.lab import OUR_ADDRESS, OUR_INNER, PEER_ADDRESS, PEER_INNER, Lab

IN_TIME = 10 * SECOND  # for what a peer does when its time has come

CHARONS_WORDS = {
    "rsa-sha256": "RSA_EMSA_PKCS1_SHA2_256 successful",
    "rsa/pss-sha256": "RSA_EMSA_PSS_SHA2_256_SALT_32 successful",
    "ecdsa-sha256": "ECDSA_WITH_SHA256_DER successful",
    "ecdsa-sha384": "ECDSA_WITH_SHA384_DER successful",
    "ecdsa-sha512": "ECDSA_WITH_SHA512_DER successful",
    "rsa-sha1": "RSA signature successful",
    "ecdsa-256-sha256": "ECDSA-256 signature successful",
    "ecdsa-384-sha384": "ECDSA-384 signature successful",
    "ecdsa-521-sha512": "ECDSA-521 signature successful",
    "ed25519": "ED25519 successful",
    "ed448": "ED448 successful",
}
"""How charon's log calls a signature that it took."""

CHARONS_DOUBTS = {
    Flaw.UNKNOWN_CA: "no trusted",
    Flaw.WRONG_NAME: "no trusted",
    Flaw.EXPIRED: "subject certificate invalid",
    Flaw.REVOKED: "certificate was revoked",
}
OUR_DOUBTS = {
    Flaw.UNKNOWN_CA: "AUTH_CERT_UNTRUSTED",
    Flaw.WRONG_NAME: "AUTH_CERT_ID_MISMATCH",
    Flaw.EXPIRED: "AUTH_CERT_EXPIRED",
    Flaw.REVOKED: "AUTH_CERT_UNTRUSTED",
}

SUITES = {
    # ours for IKE: what we offer for ESP, and what charon calls it all
    "aes256gcm16-prfsha384-ecp384": (
        "aes256gcm16",
        {
            "encr-alg": "AES_GCM_16",
            "encr-keysize": "256",
            "prf-alg": "PRF_HMAC_SHA2_384",
            "dh-group": "ECP_384",
        },
        {"encr-alg": "AES_GCM_16", "encr-keysize": "256"},
    ),
    "aes256-sha256-modp2048": (
        "aes256-sha256",
        {
            "encr-alg": "AES_CBC",
            "encr-keysize": "256",
            "integ-alg": "HMAC_SHA2_256_128",
            "prf-alg": "PRF_HMAC_SHA2_256",
            "dh-group": "MODP_2048",
        },
        {"encr-alg": "AES_CBC", "encr-keysize": "256", "integ-alg": "HMAC_SHA2_256_128"},
    ),
    "chacha20poly1305-prfsha256-x25519": (
        "chacha20poly1305",
        {"encr-alg": "CHACHA20_POLY1305", "prf-alg": "PRF_HMAC_SHA2_256", "dh-group": "CURVE_25519"},
        {"encr-alg": "CHACHA20_POLY1305"},
    ),
}


# -- what every conversation is made of -----------------------------------------------------------


async def bring_up(lab: Lab) -> None:
    """The side that the case names begins; afterwards both must hold the same SAs."""
    if lab.case.role == "initiator":
        lab.gateway.initiate("net")
        await lab.until(lambda: lab.gateway.is_up("net"), "our SAs")
    else:
        (await lab.charon.initiate()).check()
    await agree(lab)


async def agree(lab: Lab) -> None:
    """SPIs, roles and encapsulation are the same in charon's list and in our tables."""
    ike, child = await listed(lab)
    (ours,) = lab.gateway.ike.sas
    assert (ike["initiator-spi"], ike["responder-spi"]) == (ours.spi_i.hex(), ours.spi_r.hex())
    assert (child["mode"], child["protocol"], child["encap"]) == ("TUNNEL", "ESP", "yes")
    spis = {sa.parameters.direction.value: f"{sa.spi:08x}" for sa in lab.gateway.ipsec.sad.all()}
    assert spis == {"in": child["spi-out"], "out": child["spi-in"]}


async def listed(lab: Lab) -> tuple[Table, Table]:
    """Charon's one IKE SA and its one child, once both are up."""
    (ike,) = await lab.until_charon(lambda sas: has_one(sas, children=1), "one IKE SA with one child")
    (child,) = living(ike)
    return ike, child


def has_one(sas: list[Table], *, children: int) -> bool:
    """Charon has one IKE SA, and so many children of it are up."""
    return [sa["state"] for sa in sas] == ["ESTABLISHED"] and [
        child["state"] for child in living(sas[0])
    ] == ["INSTALLED"] * children


def living(ike: Table) -> list[Table]:
    """Charon's children; those that it keeps for late packets only, after their DELETE, do not count."""
    children = inner(ike, "child-sas")
    return [child for name in children if (child := inner(children, name))["state"] != "DELETED"]


async def childless(lab: Lab) -> None:
    """Charon has one IKE SA without a child, and we have no ESP SA."""
    (ike,) = await lab.charon.sas()
    assert (ike["state"], inner(ike, "child-sas")) == ("ESTABLISHED", {})
    assert len(lab.gateway.ike.sas) == 1
    assert not lab.gateway.ipsec.sad.all()


async def ping_peer(lab: Lab, *sizes: int) -> None:
    for size in sizes or (56,):
        assert await lab.gateway.ping(pack(PEER_INNER), size=size) is not None, f"{size} bytes: no answer"


async def ping_us(lab: Lab, *sizes: int) -> None:
    for size in sizes or (56,):
        (await lab.charon.ping(PEER_INNER, OUR_INNER, size=size)).check()


async def both_ways(lab: Lab) -> None:
    """A packet of the usual size from either side, and its answer."""
    await ping_peer(lab)
    await ping_us(lab)


async def nothing_left(lab: Lab) -> None:
    """Both sides have forgotten everything."""
    await lab.until(lambda: not lab.gateway.ike.sas, "our IKE SA to end")
    assert not lab.gateway.ipsec.sad.all()
    assert await lab.charon.sas() == []


async def we_say_goodbye(lab: Lab) -> None:
    lab.gateway.terminate("net")
    await nothing_left(lab)


async def charon_says_goodbye(lab: Lab) -> None:
    (await lab.charon.terminate()).check()
    await nothing_left(lab)


# -- the cases ------------------------------------------------------------------------------------


async def live(lab: Lab) -> None:
    """From the first message to DELETE. Who is told to check liveness is asked about by the other side."""
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
        _, of_ike, of_esp = lab.case.ike, *SUITES[lab.case.ike][1:]
        ike, child = await listed(lab)
        assert {name: ike[name] for name in of_ike} == of_ike
        assert {name: child[name] for name in of_esp} == of_esp
        assert lab.gateway.ike.sas[0].suite.words == lab.case.ike
        assert lab.seen(PeerAuthenticated)
    with lab.step("we ping charon, ESP in UDP"):
        await ping_peer(lab, 0, 56, 57, 58, 59, 1400)
    with lab.step("charon pings us, ESP in UDP"):
        await ping_us(lab, 16, 56, 57, 58, 59, 1400)
    if lab.case.dpd_delay:
        with lab.step("DPD: we ask, charon answers"):
            await lab.until(lambda: len(lab.seen(LivenessChecked)) >= 2, "two liveness checks")
            answers = {"exchange": "INFORMATIONAL", "is_response": True, "payloads": ()}
            await lab.until(lambda: len(lab.seen(IkeMessageReceived, **answers)) >= 2, "two answers")
        with lab.step("DELETE by charon"):
            await charon_says_goodbye(lab)
    else:
        with lab.step("DPD: charon asks, we answer"):
            answers = {"exchange": "INFORMATIONAL", "is_response": True, "payloads": ()}
            await lab.until(lambda: len(lab.seen(IkeMessageSent, **answers)) >= 2, "two questions")
        with lab.step("DELETE by us"):
            await we_say_goodbye(lab)
    assert not lab.seen(MessageRetransmitted)
    assert lab.seen(PacketDropped) == lab.seen(PacketDropped, reason=DropReason.COOKIE_REQUIRED)


async def wrong_secret(lab: Lab) -> None:
    await refused_by(
        lab, "its AUTH value does not fit our shared secret (AUTH_PSK_MISMATCH)", "MAC mismatched"
    )


async def wrong_identity(lab: Lab) -> None:
    await refused_by(
        lab, "no connection has this identity (AUTH_ID_UNKNOWN)", "no matching peer config found"
    )


async def proved(lab: Lab) -> None:
    """Both sides prove themselves by signatures, and what each made is what was asked for."""
    proof = lab.case.proof
    assert proof is not None
    with lab.step("IKE_AUTH with certificates"):
        await bring_up(lab)
        (event,) = lab.seen(PeerAuthenticated)
        is_old = lab.case.settings.get("signature_authentication") == "no"
        rows = CLASSIC.values() if is_old else auth_words(proof.words).schemes
        (made,) = (row for row in rows if proof.kind in row.kinds)
        assert event.method.split(",")[0] == made.name
        taken = f"authentication of '{lab.case.our_id}' with {CHARONS_WORDS[made.word]}"
        assert taken in lab.charon.log_text()
    with lab.step("ping"):
        await ping_peer(lab, 56)
    with lab.step("DELETE by us"):
        await we_say_goodbye(lab)


async def refused_certificate(lab: Lab) -> None:
    """Whoever is shown a bad certificate refuses; the other one only learns that it was refused."""
    proof = lab.case.proof
    assert proof is not None
    we_are_bad = proof.our_flaw is not Flaw.GOOD
    with lab.step("AUTHENTICATION_FAILED on both sides"):
        if lab.case.role == "initiator":
            lab.gateway.initiate("net")
            await lab.until(lambda: not lab.gateway.ike.sas, "the end")
        else:
            assert not (await lab.charon.initiate()).is_good
        if we_are_bad:
            assert not lab.seen(PeerRefused)
            assert lab.seen(NotifyReceived, notify="AUTHENTICATION_FAILED")
            assert CHARONS_DOUBTS[proof.our_flaw] in lab.charon.log_text()
        else:
            (refused,) = lab.seen(PeerRefused)
            assert OUR_DOUBTS[proof.peer_flaw] in refused.why
        await nothing_left(lab)
        if not we_are_bad:
            assert "[ N(AUTH_FAILED) ]" in lab.charon.log_text()


async def refused_by(lab: Lab, why: str, charons_why: str) -> None:
    """Whoever answers refuses; only it knows why."""
    with lab.step("AUTHENTICATION_FAILED on both sides"):
        if lab.case.role == "initiator":
            lab.gateway.initiate("net")
            await lab.until(lambda: bool(lab.seen(NotifyReceived)), "charon's refusal")
            assert lab.seen(NotifyReceived, notify="AUTHENTICATION_FAILED", exchange="IKE_AUTH")
            assert not lab.seen(PeerRefused)
            assert charons_why in lab.charon.log_text()
        else:
            ended = await lab.charon.initiate()
            assert not ended.is_good
            assert "received AUTHENTICATION_FAILED notify error" in ended.output
            assert lab.seen(PeerRefused, why=why)
            assert lab.seen(PacketDropped, reason=DropReason.AUTH_FAILED)
        await nothing_left(lab)


async def no_proposal(lab: Lab) -> None:
    with lab.step("NO_PROPOSAL_CHOSEN in clear"):
        if lab.case.role == "initiator":
            lab.gateway.initiate("net")
            await lab.until(lambda: bool(lab.seen(NotifyReceived)), "charon's refusal")
            assert lab.seen(NotifyReceived, notify="NO_PROPOSAL_CHOSEN", exchange="IKE_SA_INIT")
            # nobody has signed it: we go on for a while (RFC 7296 2.21.1)
            await lab.until(lambda: not lab.gateway.ike.sas, "our end", within=2 * DOUBT_TIME)
        else:
            ended = await lab.charon.initiate()
            assert not ended.is_good
            assert "received NO_PROPOSAL_CHOSEN notify error" in ended.output
            assert lab.seen(PacketDropped, reason=DropReason.NO_PROPOSAL)
        await nothing_left(lab)


async def no_child_proposal(lab: Lab) -> None:
    """Nothing in common for the child."""
    await refused_child(lab, "NO_PROPOSAL_CHOSEN")


async def no_common_traffic(lab: Lab) -> None:
    """What the one wants to send is none of the other's (RFC 7296 2.9)."""
    await refused_child(lab, "TS_UNACCEPTABLE")


async def refused_child(lab: Lab, word: str) -> None:
    """The IKE SA stands without its child (RFC 7296 1.2)."""
    with lab.step("IKE_SA without CHILD_SA"):
        if lab.case.role == "initiator":
            lab.gateway.initiate("net")
            await lab.until(lambda: bool(lab.seen(ChildSaFailed)), "the child's refusal")
        else:
            ended = await lab.charon.initiate()
            assert f"received {word} notify, no CHILD_SA built" in ended.output
        assert lab.seen(ChildSaFailed, notify=word)
        await childless(lab)
    with lab.step("DELETE by charon"):
        await charon_says_goodbye(lab)


async def cookie(lab: Lab) -> None:
    """Charon asks for a cookie once an initiator has begun and was not heard of again; we always do."""
    if lab.case.role == "initiator":
        with lab.step("COOKIE demanded by charon"):
            await leave_half_open(OUR_ADDRESS, PEER_ADDRESS)
            lab.gateway.initiate("net")
            await lab.until(lambda: lab.gateway.is_up("net"), "our SAs")
            assert lab.seen(CookieReturned)
    else:
        with lab.step("COOKIE demanded by us"):
            await bring_up(lab)
            assert lab.seen(CookieDemanded)
            assert lab.seen(PacketDropped) == lab.seen(PacketDropped, reason=DropReason.COOKIE_REQUIRED)
    with lab.step("ping both ways"):
        await both_ways(lab)


async def wrong_group(lab: Lab) -> None:
    with lab.step("INVALID_KE_PAYLOAD, second try"):
        await bring_up(lab)
        assert lab.gateway.ike.sas[0].suite.group.word == "modp2048"
        if lab.case.role == "initiator":
            assert lab.seen(GroupChanged, wanted="modp-2048")
        else:
            assert lab.seen(PacketDropped, reason=DropReason.INVALID_KE)
            is_cookie_wanted = lab.case.limits is COOKIES_ALWAYS
            assert bool(lab.seen(CookieDemanded)) is is_cookie_wanted
            assert not lab.seen(PacketDropped, reason=DropReason.COOKIE_WRONG)
    with lab.step("ping both ways"):
        await both_ways(lab)


async def narrowed(lab: Lab) -> None:
    with lab.step("narrower traffic selectors"):
        await bring_up(lab)
        _, child = await listed(lab)
        assert (child["local-ts"], child["remote-ts"]) == (["10.2.0.0/24"], ["10.1.0.0/24"])
        assert lab.seen(
            SelectorsNarrowed, local="10.1.0.0/24", remote="10.2.0.0/24", is_less_than_offered=True
        )
    with lab.step("ping both ways"):
        await both_ways(lab)


async def trap(lab: Lab) -> None:
    with lab.step("traffic brings it up"):
        await ping_peer(lab)
        await agree(lab)


async def child_deleted(lab: Lab) -> None:
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    with lab.step("DELETE of the child by charon"):
        (await lab.charon.terminate_child()).check()
        assert lab.seen(IkeMessageSent, exchange="INFORMATIONAL", payloads=("D",))  # RFC 7296 1.4.1
        await childless(lab)
    with lab.step("DELETE by charon"):
        await charon_says_goodbye(lab)


async def crossing_deletes(lab: Lab) -> None:
    """Each side says goodbye before it has heard the other's (RFC 7296 2.25)."""
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    with lab.step("DELETE by both at once"):
        held = lab.hold()
        lab.gateway.terminate("net")
        charons = asyncio.create_task(lab.charon.terminate())
        await lab.until(lambda: bool(lab.seen(IkeMessageReceived, payloads=("D",))), "charon's DELETE")
        assert len(held) == 2  # our own DELETE, and the answer to charon's
        lab.release(held)
        (await charons).check()
        await nothing_left(lab)


async def lost_answers(lab: Lab) -> None:
    """The first copy of every answer is lost; charon asks again and gets the same bytes."""
    with lab.step("repeated requests"):
        charons = asyncio.create_task(lab.charon.initiate(within=10 * SECOND))
        for number in (1, 2):
            held = lab.hold()
            await lab.until(lambda held=held: len(held) == 2, f"charon to repeat request {number}")  # type: ignore[misc]
            assert held[0].payload == held[1].payload
            assert len(lab.seen(ResponseRepeated)) == number
            lab.release(held[1:])
        (await charons).check()
        await agree(lab)
    with lab.step("ping both ways"):
        await both_ways(lab)


async def up_and_down(lab: Lab) -> None:
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
        assert lab.gateway.ike.sas[0].suite.words == lab.case.ike
    with lab.step("ping both ways"):
        await both_ways(lab)
    with lab.step("DELETE by us"):
        await we_say_goodbye(lab)
