import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import MILLISECOND, SECOND
from ipsecsim.scenario import SCRIPT_VERBS, check, read
from ipsecsim.scenario.model_script import Initiate, Note, Terminate, Traffic
from ipsecsim.scenario.not_yet import VERBS_LATER
from tests.unit.scenario.examples import SITES


def actions(*sentences: str):
    return read(SITES + "script:\n" + "".join(f"  - do: {each}\n" for each in sentences)).script


def refusal(script: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(f"{SITES}script:\n{script}")
    return str(caught.value).splitlines()[0]


def test_what_a_sentence_does_not_say_is_left_to_the_application():
    (ping,) = actions("ping alice bob")[0].do
    assert isinstance(ping, Traffic)
    assert (ping.verb, ping.source, ping.to, ping.options, ping.name) == ("ping", "alice", "bob", (), "ping")


def test_options_are_read_with_their_units():
    (ping,) = actions("ping alice bob count=3 size=1kB interval=10ms df=yes name=big")[0].do
    assert dict(ping.options) == {
        "count": 3,
        "size": 1000,
        "interval": 10 * MILLISECOND,
        "dont_fragment": True,
    }
    assert ping.name == "big"
    (send,) = actions("send alice bob dport=53 sport=4000 size=100")[0].do
    assert dict(send.options) == {"destination_port": 53, "source_port": 4000, "size": 100}


def test_a_rate_becomes_the_time_between_two_packets():
    (flow,) = actions("flow alice bob rate=1mbit size=500 kind=poisson")[0].do
    assert dict(flow.options) == {"size": 500, "kind": "poisson", "interval": 4 * MILLISECOND}


def test_the_other_verbs():
    one, two, three = (entry.do[0] for entry in actions("initiate net", "terminate net", "note now = over"))
    assert one == Initiate("net", "west", "net", "net", text="initiate net")
    assert two == Terminate("net", "west", "net", "net", text="terminate net")
    assert isinstance(three, Note)


def test_traffic_has_a_name_of_its_own():
    script = actions("ping alice bob", "ping bob alice", "ping alice bob name=x", "send alice bob")
    assert [entry.do[0].name for entry in script] == ["ping", "ping 2", "x", "send"]


def test_times_are_absolute_where_they_can_be():
    script = read(
        SITES
        + "script: [do: ping alice bob, {at: 5s, do: ping alice bob}, {at: +1s, do: ping alice bob}, do: note x]\n"
    ).script
    assert [entry.at for entry in script] == [0, 5 * SECOND, 6 * SECOND, 6 * SECOND]


@pytest.mark.parametrize("verb", SCRIPT_VERBS)
def test_every_verbs_example_is_right_or_not_there_yet(verb):
    example = SCRIPT_VERBS[verb].example.replace("carol lte", "alice left")
    example = example.replace(" home", " west")
    sites = SITES.replace("nodes:\n", "nodes:\n  mallory: {kind: attacker, tap: wan}\n")
    checked = check(sites + f"script: [do: {example}]\n")
    wanted = [f"not yet: the script verb '{verb}'"] if verb in VERBS_LATER else []
    assert [error.message for error in checked.later] == wanted


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("  - do: pign alice bob\n", "14:9: unknown verb 'pign'; did you mean 'ping'?"),
        ("  - do: ping alice bbo\n", "14:20: no node 'bbo'; did you mean 'bob'?"),
        ("  - do: ping alice\n", "14:9: 'ping' takes FROM and TO; write for example  ping alice bob count=3"),
        ("  - do: ping alice bob west\n", "14:24: 'ping' takes FROM and TO"),
        ("  - do: ping alice bob cuont=3\n", "14:24: 'ping' has no 'cuont'; did you mean 'count'?"),
        ("  - do: ping alice bob count>3\n", "14:24: 'count' is given with ="),
        ("  - do: ping alice bob count=3|4\n", "14:32: 'count' takes one value"),
        ("  - do: ping alice bob count=0\n", "14:30: 0 is out of range"),
        ("  - do: ping alice bob size=70000\n", "14:29: '70000' does not fit into one IP packet"),
        ("  - do: flow alice bob size=15\n", "14:29: a flow's packets carry their number and time: 16 bytes"),
        (
            "  - do: flow alice bob group=10.0.0.1\n",
            "14:30: '10.0.0.1' is no multicast group of one link (224",
        ),
        ("  - do: flow alice bob group=bob\n", "14:30: 'bob' is no multicast group of one link"),
        ("  - do: flow alice bob group=ff02::5\n", "14:30: 'ff02::5' is no multicast group of one link"),
        ("  - do: flow alice bob rate=1mbit interval=1ms\n", "14:9: rate= and interval= say the same twice"),
        ("  - do: voice alice bob codec=g722\n", "14:31: unknown word 'g722'"),
        ("  - do: ping alice bob name=A\n", "14:29: 'A': a name is small letters"),
        ("  - do: initiate nett\n", "14:18: no tunnel 'nett'; did you mean 'net'?"),
        ("  - do: note\n", "14:9: a note needs words"),
        (
            "  - do: set links.wna.delay 5ms\n",
            "14:13: 'links.wna.delay': there is no links.wna; did you mean 'wan'?",
        ),
        ("  - {at: 5s}\n", "14:5: this entry does nothing"),
        ("  - {at: 5, do: ping alice bob}\n", "14:10: duration '5' lacks its unit"),
        ("  - {at: 5s, when: {tunnel net: up}, do: note x}\n", "14:14: an entry has at: or when:, not both"),
        ("  - {do: note x, within: 3s}\n", "14:18: within: says how long expect: may take"),
        ("  - {at: 5s, od: note x}\n", "14:14: a script entry has no key 'od'; did you mean 'do'?"),
        ("  - ping alice bob\n", "14:5: a script entry says what to do; write  - do: ping alice bob"),
    ],
)
def test_a_mistake_stands_under_its_word(script, message):
    assert refusal(script).startswith(f"<text>:{message}")
