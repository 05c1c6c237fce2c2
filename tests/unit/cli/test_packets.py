"""`packets` and `packet` as a person types them."""

import json
import re

import pytest

from tests.unit.cli.test_commands import ipsecsim

pytestmark = pytest.mark.slow


def test_packets_lists_those_that_fit_and_counts_them():
    done = ipsecsim("packets", "behind_nat", "--where", "layer=esp link=uplink", "--limit", "2")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "#6   esp in udp   west > east   148 B   ok   ESP SPI 3ded7ac4 sequence 1 in UDP 4500 > 4500",
        "#8   esp in udp   east > west   148 B   ok   ESP SPI cb59c85c sequence 1 in UDP 4500 > 4500",
        "6 packets, 888 B; 4 more are not shown",
    ]


def test_packets_as_json_have_their_hops():
    done = ipsecsim("packets", "behind_nat", "--where", "flow=ping layer=icmp turn=1", "--jsonl")
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["number"], told["kind"], told["source"], told["to"]) == (1, "icmp", "alice", "bob")
    assert [hop["link"] for hop in told["hops"]] == ["left", "right"]
    assert bytes.fromhex(told["hops"][0]["packet"])[12:16] == bytes((10, 1, 0, 2))


def test_a_capture_on_a_node_has_what_it_opened_once_more(tmp_path):
    told = ipsecsim("packets", "capture_on_gateway", "--on", "east", "--where", "layer=icmp").stdout
    assert re.search(r"#1 +10.1.0.2 > 10.2.0.2, ICMP echo request 1, 84 B", told)
    assert "opened from #6; fibre did not carry it so" in told
    assert told.splitlines()[-1] == (
        "6 packets seen; 2 it had opened itself, and of these the link carried none so"
    )
    short = ipsecsim("packets", "capture_on_gateway", "--on", "east", "--limit", "1", "--jsonl")
    first = json.loads(short.stdout)
    assert (first["link"], first["way"], first["opened_from"], first["was_on_link"]) == (
        "fibre",
        "in",
        0,
        True,
    )
    file = tmp_path / "east.pcapng"
    assert ipsecsim("packets", "capture_on_gateway", "--on", "east", "--pcapng", str(file)).returncode == 0
    assert file.stat().st_size > 1000


def test_a_capture_is_on_a_node_that_there_is():
    assert "no node 'est'" in ipsecsim("packets", "site_to_site", "--on", "est").stderr
    assert "say on which node" in ipsecsim("packets", "site_to_site", "--pcapng", "x").stderr


def test_the_options_of_run_hold():
    more = ipsecsim("packets", "site_to_site", "--do", "5s ping alice bob name=late", "--where", "flow=late")
    assert more.stdout.splitlines()[-1].startswith("4 packets")
    short = ipsecsim("packets", "site_to_site", "--until", "1us")
    assert short.stdout.splitlines()[-1] == "1 packet, 84 B"
    other = ipsecsim("packets", "site_to_site", "--seed", "2", "--where", "layer=esp").stdout
    assert other != ipsecsim("packets", "site_to_site", "--where", "layer=esp").stdout


def test_a_packet_and_its_journey():
    one = ipsecsim("packet", "behind_nat", "1").stdout
    assert "carried by #6" in one
    assert "answered by #7" in one
    journey = ipsecsim("packet", "behind_nat", "1", "--follow").stdout
    assert "becomes #6 esp in udp (148 B), SA 3ded7ac4" in journey
    assert "source 192.168.1.1:4500 becomes 192.0.2.1:4500" in journey
    assert journey.splitlines()[-1].split() == ["bob", "delivered", "to", "icmp,", "answered", "by", "#7"]


def test_a_packet_is_looked_through_with_all_keys_or_with_those_of_a_node():
    opened = ipsecsim("packet", "behind_nat", "6").stdout
    assert re.search(r"44-127 +IPv4 +encrypted \+ authenticated +10.1.0.2 > 10.2.0.2", opened)
    assert "132-147" in opened
    closed = ipsecsim("packet", "behind_nat", "6", "--hop", "2", "--as", "home").stdout
    assert "10.2.0.2" not in closed
    assert re.search(r"IPv4 +in the clear +192.0.2.1 > 198.51.100.2", closed), "the NAT has changed it"


def test_a_diff_names_who_changed_what():
    told = ipsecsim("packet", "behind_nat", "6", "--diff").stdout.splitlines()
    assert told[0] == "home"
    assert told[3].split() == ["IPv4", "/", "Source", "Address", "192.168.1.1", ">", "192.0.2.1"]
    assert told[4] == "internet"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["packets", "behind_nat", "--where", "layer=ah"], 'no packet matches "layer=ah"; there are: icmp 6'),
        (["packets", "behind_nat", "--where", "layer=ahh"], "unknown word 'ahh'; did you mean 'ah'?"),
        (["packet", "behind_nat", "6", "--as", "eas"], "--as eas: no node 'eas'; did you mean 'east'?"),
        (["packet", "behind_nat", "6", "--hop", "9"], "packet 6 has no hop 9; it has 3, numbered from 1"),
        (["packet", "behind_nat", "99"], "no packet 99; the run has 16, numbered from 1"),
    ],
)
def test_what_is_not_there_ends_with_2_and_a_remedy(words, said):
    done = ipsecsim(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["packets", "packet"])
def test_help_shows_examples(command):
    done = ipsecsim(command, "--help")
    assert f"ipsecsim {command} " in done.stdout.split("Examples", 1)[1]


def test_what_a_field_is_for_is_explained_with_its_section():
    done = ipsecsim("packet", "site_to_site", "1", "--explain")
    (line,) = [each for each in done.stdout.splitlines() if "Time to Live" in each]
    assert line.endswith("64   each router takes one away; at 0 the packet is dropped   [RFC 791 3.1]")


def test_layers_stand_above_the_fields_with_their_lengths():
    lines = ipsecsim("packet", "behind_nat", "6").stdout.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("IPv4  "))
    rows = [line.split() for line in lines[start : lines.index("", start)]]
    names = [row[0] for row in rows]
    assert names[:4] == ["IPv4", "UDP", "ESP", "IV"]
    assert names[-3:] == ["padding", "trailer", "ICV"]
    assert sum(int(row[1]) for row in rows) == 148


def test_bytes_are_marked_by_their_class():
    done = ipsecsim("packet", "ah_tunnel", "2", "--hex")
    lines = done.stdout.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("   0  45 00"))
    assert lines[at + 1].strip() == "__ ~~ __ __ __ __ ~~ ~~ ~~ __ ~~ ~~ __ __ __ __"
    assert lines[-1].strip() == "__ authenticated, ~~ mutable, left out of the AH seal"
