"""`ipsecsim why`: what it prints, and how it answers questions that cannot be asked."""

import pytest

from tests.unit.cli.test_commands import ipsecsim

pytestmark = pytest.mark.slow  # each is a process of its own


def test_it_tells_the_cause_the_chain_who_knows_and_what_would_help():
    lines = ipsecsim("why", "psk_mismatch").stdout.splitlines()
    assert lines[0].startswith("AUTH_PSK_MISMATCH   tunnel net is down: ")
    assert [line.split()[:3] for line in lines[1:3]] == [["turn", "1", "alice"], ["turn", "3", "east"]]
    labels = [line[2:14].strip() for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert [label for label in labels if not label.startswith(("turn", "the order"))] == [
        "found",
        "who knows",
        "shows as",
        "clause",
        "setting",
        "look at",
    ]


def test_a_packet_that_died_is_told_with_the_order_of_operations():
    told = ipsecsim("why", "outside_the_selectors").stdout
    assert "FAIL  SPD out" in told
    assert "net: remote 10.2.0.0/24, the packet goes to 10.3.0.2" in told


def test_where_all_is_well_it_says_so():
    done = ipsecsim("why", "site_to_site", "ping alice bob")
    assert done.stdout == (
        "Ping alice bob: 1 of 1 got through: nothing went wrong there, "
        "and nothing leaked: outside, links carried what was sealed in no other form\n"
    )
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        (["site_to_site", "ping alice dave"], "there is no traffic 'ping alice dave'; there are: ping"),
        (["site_to_site", "tunnel nte"], "there is no tunnel 'nte'; there are: net"),
        (["site_to_site", "--packet", "999"], "there is no packet 999; there are: 1 to"),
        (["site_to_site", "ping", "--packet", "1"], "ask about 'ping' or about packet 1, one at a time"),
        ([], "say which topology to ask, such as  ipsecsim why psk_mismatch"),
        (["site_to_site", "--all", "failures"], "--all asks a whole folder; leave out the name"),
        (["--all", "nowhere"], "--all nowhere: there are no topologies in it; try  --all failures"),
        (["site_to_siet"], "did you mean 'site_to_site'?"),
    ],
)
def test_a_question_that_cannot_be_asked_ends_with_2_and_says_what_can(words, mistake):
    done = ipsecsim("why", *words)
    assert done.returncode == 2
    assert mistake in done.stderr
    assert "Traceback" not in done.stderr
