import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import MILLISECOND
from ipsecsim.scenario import check, read
from ipsecsim.scenario.model import Condition, MeasureClaim, ReasonClaim, StateClaim
from tests.unit.scenario.examples import SITES

SCRIPT = SITES + "script: [do: ping alice bob name=first]\n"


def claim(subject: str, text: str):
    (expectation,) = read(f'{SCRIPT}expect: {{"{subject}": "{text}"}}\n').expect
    return expectation


def refusal(subject: str, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        check(f"{SCRIPT}expect:\n  {subject}: {text}\n")
    return str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    ("subject", "text", "wanted"),
    [
        ("tunnel net", "up", StateClaim("up", None)),
        ("tunnel", "down 1", StateClaim("down", 1)),
        ("leaks", "none", StateClaim("none", None)),
        ("leaks", "at least 1", MeasureClaim("", "at least", 1, "")),
        ("ping", "received 3", MeasureClaim("received", "equal", 3, "")),
        ("first", "lost at most 5%", MeasureClaim("lost", "at most", 5.0, "%")),
        ("ping alice bob", "rtt less than 2ms", MeasureClaim("rtt", "less than", 2 * MILLISECOND, "ns")),
        ("packets layer=esp link=wan", ">= 5", MeasureClaim("", "at least", 5, "")),
        ("packets size>1400", "<=5", MeasureClaim("", "at most", 5, "")),
        ("packets", "bytes about 1MB", MeasureClaim("bytes", "about", 1_000_000, "B")),
        ("packets", "count 3", MeasureClaim("count", "equal", 3, "")),
        ("packets", "7", MeasureClaim("", "equal", 7, "")),
        ("packets", "!= 7", MeasureClaim("", "not equal", 7, "")),
        ("drops node=west", "ICV_FAIL 3", ReasonClaim("ICV_FAIL", 3)),
        ("drops reason=ICV_FAIL|NO_SA", "none", StateClaim("none", None)),
        ("notify from=east", "AUTHENTICATION_FAILED", ReasonClaim("AUTHENTICATION_FAILED", None)),
        ("node west", "down", StateClaim("down", None)),
        ("node west", "sas 4", MeasureClaim("sas", "equal", 4, "")),
        ("sas node=west|east", "at least 2", MeasureClaim("", "at least", 2, "")),
        ("tunnel net", "setup_time less than 1s", MeasureClaim("setup_time", "less than", 10**9, "ns")),
    ],
)
def test_claims_are_read(subject, text, wanted):
    assert claim(subject, text).claim == wanted


def test_subjects_are_worked_out():
    assert claim("tunnel net", "up").subject.names == ("net",)
    assert claim("tunnel", "up").subject.names == ()
    ping = claim("ping alice bob", "received 1").subject
    assert (ping.kind, ping.names) == ("traffic", ("ping", "alice", "bob"))
    assert ping.where == (Condition("from", "=", ("alice",)), Condition("to", "=", ("bob",)))
    packets = claim("packets layer=esp|ike size>1400 turn=1-5", "none").subject
    assert packets.where == (
        Condition("layer", "=", ("esp", "ike")),
        Condition("size", ">", ("1400",)),
        Condition("turn", "=", ("1-5",)),
    )


@pytest.mark.parametrize("subject", ["why", "why ping", "why tunnel net", "why ping alice bob", "why first"])
def test_why_asks_about_anything(subject):
    assert not [
        error
        for error in check(f"{SCRIPT}expect:\n  {subject}: AUTH_PSK_MISMATCH\n").later
        if "why" not in error.message
    ]


@pytest.mark.parametrize(
    ("subject", "text", "message"),
    [
        ("png", "received 1", "15:3: nothing is called 'png'; did you mean 'ping'?"),
        ("tunnel nett", "up", "15:10: no tunnel 'nett'; did you mean 'net'?"),
        ("tunnel net", "open", "15:15: 'open' is no measure of this; known: down, outage, setup_time, up"),
        ("tunnel net", "none", "15:15: 'none' is said of packets, drops and leaks; write  down"),
        ("ping", "up", "15:9: 'up' is said of a tunnel or a node; write for example  received 3"),
        ("ping", "recieved 1", "15:9: 'recieved' is no measure of this; did you mean 'received'?"),
        ("ping", "received", "15:9: a value is missing; write for example  received 3"),
        ("ping", "received three", "15:18: 'three' is no whole number"),
        ("ping", "3", "15:9: say what is measured; write for example  received 3"),
        ("ping", "rtt 5", "15:13: duration '5' lacks its unit"),
        ("ping alice", "received 1", "15:8: write ping alone, or ping FROM TO"),
        ("ping alice bbo", "received 1", "15:14: no node 'bbo'; did you mean 'bob'?"),
        ("packets layr=esp", "none", "15:11: packets has no 'layr'; did you mean 'layer'?"),
        ("packets layer=epp", "none", "15:17: unknown word 'epp'; did you mean 'esp'?"),
        (
            "packets proto=ike",
            "none",
            "15:17: proto= is the IP protocol field, and 'ike' is none; write layer=ike",
        ),
        ("packets link=wna", "none", "15:16: no link 'wna'; did you mean 'wan'?"),
        ("packets src=10.1.0.300", "none", "15:15: '10.1.0.300' is no address"),
        ("packets esp", "none", "15:11: 'esp' is one word too many"),
        ("packets", "> 5", "15:12: '>' and '|' begin a block of text in YAML"),
        ("packets", "'>'", "15:13: a value is missing"),
        ("drops", "ICV_FIAL", "15:10: unknown reason 'ICV_FIAL'; did you mean 'ICV_FAIL'?"),
        (
            "drops",
            "AUTH_PSK_MISMATCH",
            "15:10: 'AUTH_PSK_MISMATCH' does not say what is dropped; it is asked for with why:",
        ),
        ("why", "ICV_FAIL", "15:8: 'ICV_FAIL' does not say why; it is asked for with drops:"),
        (
            "why",
            "AUTH_PSK_MISSMATCH",
            "15:8: unknown reason 'AUTH_PSK_MISSMATCH'; did you mean 'AUTH_PSK_MISMATCH'?",
        ),
        ("notify", "AUTH_FAILED", "15:11: unknown notify 'AUTH_FAILED'; did you mean"),
        ("node", "cpu 5%", "15:3: node needs a name"),
        ("leaks", "none 3 4", "15:17: '4' is one word too many"),
        ("leaks", "", "15:3: a claim is missing"),
        ("ping df=yes", "received 1", "15:8: 'ping' takes no 'df=' here"),
    ],
)
def test_a_mistake_stands_under_its_word(subject, text, message):
    assert refusal(subject, text).startswith(f"<text>:{message}")


def test_claims_nobody_can_answer_yet_are_refused_by_name():
    later = check(f"{SCRIPT}expect: [node west: cpu at most 5%, drops: TCP_PREFIX]\n").later
    assert [error.message for error in later] == [
        "not yet: claims about 'cpu'",
        "not yet: the drop reason TCP_PREFIX",
    ]
