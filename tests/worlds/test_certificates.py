"""Whole worlds with certificates, good and bad: what comes of the tunnel, and who knows why."""

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.ike.events import NotifyReceived, PeerAuthenticated, PeerRefused, TrustEnded
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import read
from ipsecsim.scenario.lab_pki import KIND_WORDS, Flaw

WHY = {
    Flaw.GOOD: "",
    Flaw.LONG_CHAIN: "",
    Flaw.EXPIRED: "AUTH_CERT_EXPIRED",
    Flaw.NOT_YET_VALID: "AUTH_CERT_EXPIRED",
    Flaw.REVOKED: "AUTH_CERT_UNTRUSTED",
    Flaw.UNKNOWN_CA: "AUTH_CERT_UNTRUSTED",
    Flaw.WRONG_NAME: "AUTH_CERT_ID_MISMATCH",
}


def play(*settings: tuple[str, str], until: int | None = None) -> Run:
    run = Run(read("site_to_site_certs", settings=settings)).run(until)
    assert check(run.recorder, run.world.simulator) == []
    return run


def told(run: Run, kind: type) -> list[tuple[str, object]]:
    return [(record.node, event) for record, event in run.recorder.of(kind)]


def received(run: Run) -> int:
    return sum(each.received for each in run.world.pings.values())


@pytest.mark.parametrize("flaw", Flaw)
@pytest.mark.parametrize("node", ["west", "east"])
def test_one_bad_certificate_and_who_knows_what_is_wrong(node, flaw):
    run = play((f"nodes.{node}.cert", flaw.value))
    other = "east" if node == "west" else "west"
    if not WHY[flaw]:
        assert received(run) == 1
        assert not told(run, PeerRefused)
        return
    assert received(run) == 0
    ((who, event),) = told(run, PeerRefused)
    assert who == other
    assert WHY[flaw] in event.why
    assert told(run, NotifyReceived) == [
        (node, NotifyReceived("AUTHENTICATION_FAILED", "IKE_AUTH" if node == "west" else "INFORMATIONAL"))
    ]


@pytest.mark.parametrize("word", KIND_WORDS)
def test_every_kind_of_key_brings_the_tunnel_up(word):
    run = play(("pki", word))
    assert received(run) == 1
    assert len(told(run, PeerAuthenticated)) == 2


def test_a_large_ike_auth_goes_in_ip_fragments():
    run = play(("pki", "rsa"), ("nodes.west.cert", "long_chain"), ("nodes.east.cert", "long_chain"))
    assert received(run) == 1


@pytest.mark.fault("FLT-31")
def test_a_tunnel_ends_with_the_trust_in_its_certificates_and_comes_up_no_more():
    day = 86_400 * 10**9
    source = """\
name: long_run
extends: site_to_site_certs
until: 800d
set: {tunnels.net.rekey_time: 0, tunnels.net.child: {rekey_time: 0}}
script:
  - do: ping alice bob
  - {at: 20d, do: ping alice bob name=soon}
  - {at: 400d, do: ping alice bob name=late}
"""
    run = Run(read(source)).run()
    assert check(run.recorder, run.world.simulator) == []
    assert [each.received for each in run.world.pings.values()] == [1, 1, 0]
    ended = [record.at for record, _ in run.recorder.of(TrustEnded)]
    assert ended[0] == 30 * day
    assert "AUTH_CERT_EXPIRED" in [event.why for _, event in told(run, PeerRefused)][-1]
