"""Wireshark's own reading of what was recorded: an independent judge of bytes, keys and file formats."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.save import save
from ipsecsim.ike.fragment_events import IkeFragmentsJoined
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.packets.packet_summary import esp_of
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.written import key_log, pcapng
from ipsecsim.observe.written.wireshark_names import EDITIONS, Edition
from ipsecsim.scenario import library
from ipsecsim.scenario.read import read
from tests.support.builders import two_gateways

TSHARK = shutil.which("tshark")
HOW_TO_GET_IT = "tshark is not installed: `apt-get install tshark` (Debian), `brew install wireshark` (macOS)"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(TSHARK is None and "CI" not in os.environ, reason=HOW_TO_GET_IT),
]

SUITES = {
    "gcm-256": {"ike": "aes256gcm16-prfsha256-x25519", "esp": "aes256gcm16"},
    "gcm-128": {"ike": "aes128gcm16-prfsha384-ecp256", "esp": "aes128gcm16"},
    "gcm-192": {"ike": "aes192gcm16-prfsha512-ecp384", "esp": "aes192gcm16"},
    "cbc-sha256": {"ike": "aes256-sha256-modp2048", "esp": "aes256-sha256"},
    "cbc-sha384": {"ike": "aes192-sha384-ecp521", "esp": "aes192-sha384"},
    "cbc-sha512": {"ike": "aes128-sha512-modp3072", "esp": "aes128-sha512"},
    "gcm-cut-to-8": {"ike": "aes128gcm8-prfsha1-x25519", "esp": "aes128gcm8"},
    "gcm-cut-to-12": {"ike": "aes192gcm12-prfsha256-x25519", "esp": "aes192gcm12"},
    "ccm-8-and-ctr": {"ike": "aes256ccm8-prfmd5-x25519", "esp": "aes128ctr-sha256"},
    "ccm-12-and-null": {"ike": "aes128ccm12-prfsha256-x25519", "esp": "null-sha512"},
    "ccm-16-and-sha256-96": {"ike": "aes192ccm16-prfsha256-x25519", "esp": "aes128-sha256_96"},
    "3des-sha1": {"ike": "3des-sha1-x25519", "esp": "3des-sha1"},
    "md5-and-des": {"ike": "aes128-md5-x25519", "esp": "des-md5"},
    "gcm-in-udp": {"ike": "aes256gcm16-prfsha256-x25519", "esp": "aes256gcm16", "encap": True},
    "cbc-in-udp": {"ike": "aes256-sha256-ecp256", "esp": "aes256-sha256", "encap": True},
}


FIELDS = (
    "frame.interface_name",
    "frame.interface_description",
    "frame.time_epoch",
    "frame.len",
    "frame.comment",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
    "ip.src",
    "ip.dst",
    "ip.src_host",
    "ip.checksum.status",
    "udp.checksum.status",
    "icmp.checksum.status",
    "icmp.type",
    "icmp.seq",
    "isakmp.exchangetype",
    "isakmp.flag_r",
    "isakmp.messageid",
    "isakmp.typepayload",
    "isakmp.frag.number",
    "isakmp.frag.total",
    "isakmp.reassembled.length",
    "isakmp.id.data.fqdn",
    "esp.spi",
    "esp.icv_good",
)
GOOD, NOT_PRESENT = "1", "3"
WARNING = 0x600000


def test_tshark_is_here_in_ci() -> None:
    assert TSHARK is not None, HOW_TO_GET_IT


@dataclass(frozen=True)
class Exported:
    """A run written down, and what tshark reads in it with the profile beside it: a row a packet."""

    recorder: Recorder
    rows: list[dict[str, list[str]]]
    folder: Path

    @property
    def frames(self) -> list[FrameSent]:
        return [event for _, event in self.recorder.of(FrameSent)]

    def having(self, field: str, value: str | None = None) -> list[dict[str, list[str]]]:
        """The packets in which a field occurs, with that value if one is given."""
        return [row for row in self.rows if (row[field] if value is None else value in row[field])]


def export(recorder: Recorder, folder: Path) -> Exported:
    with (folder / "capture.pcapng").open("wb") as file:
        pcapng.write(recorder, file)
    key_log.write_profile(recorder.rows, folder / "wireshark")
    return read_back(recorder, folder)


def read_back(recorder: Recorder, folder: Path, profile: str = key_log.PROFILE) -> Exported:
    fields = (f"-e{name}" for name in FIELDS)
    text = tshark(folder, "-T", "fields", *fields, "-E", "aggregator=|", profile=profile)
    cells = [[_values(cell) for cell in line.split("\t")] for line in text.splitlines()]
    return Exported(recorder, [dict(zip(FIELDS, row, strict=True)) for row in cells], folder)


def _values(cell: str) -> list[str]:
    """All that a field has in a packet. A truth is a number until Wireshark 4.0, and a word from 4.2 on."""
    return [{"True": "1", "False": "0"}.get(value, value) for value in cell.split("|")] if cell else []


def tshark(folder: Path, *options: str, profile: str = key_log.PROFILE) -> str:
    assert TSHARK is not None, HOW_TO_GET_IT
    environment = {**os.environ, "WIRESHARK_CONFIG_DIR": str(folder / "wireshark")}
    command = [TSHARK, "-C", profile, "-r", str(folder / "capture.pcapng"), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    complaints = [line for line in done.stderr.splitlines() if "This could be dangerous" not in line]
    # what tshark does not understand in a profile it only warns of, and the rest would then prove nothing
    assert (done.returncode, complaints) == (0, [])
    return done.stdout


@pytest.fixture(scope="module", params=SUITES.values(), ids=SUITES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Up by traffic, two pings and one larger than the link, and down again."""
    world = two_gateways(**request.param)
    small, large = world.ping("a", "b", count=2), world.ping("a", "b", at=2 * SECOND, size=3000)
    world.terminate("west", at=20 * SECOND)
    world.run()
    assert (small.lost, large.lost) == (0, 0)
    return export(world.recorder, tmp_path_factory.mktemp("wireshark"))


def test_every_packet_is_read_without_complaint(run: Exported) -> None:
    assert len(run.rows) == len(run.frames)
    assert run.having("_ws.malformed") == []
    complaints = [
        message
        for row in run.rows
        for severity, message in zip(row["_ws.expert.severity"], row["_ws.expert.message"], strict=True)
        if int(severity) >= WARNING
    ]
    assert complaints == []


def test_ike_auth_and_informational_are_decrypted(run: Exported) -> None:
    """The payload types inside show only when the keys are right."""
    inside = {
        # exchange, is response: types of payloads, the transforms of a proposal (2 and 3) among them
        ("35", "0"): {"46", "35", "36", "39", "41", "33", "44", "45"},
        ("35", "1"): {"46", "36", "39", "33", "44", "45"},
        ("37", "0"): {"46", "42"},
        ("37", "1"): {"46"},
    }
    sealed = run.having("isakmp.typepayload", "46")
    assert len(sealed) == 8  # two exchanges, on both sides of the router
    for row in sealed:
        key = (row["isakmp.exchangetype"][0], row["isakmp.flag_r"][0])
        assert set(row["isakmp.typepayload"]) - {"2", "3"} == inside[key]
    requests = [row for row in sealed if row["isakmp.messageid"] == ["0x00000001"]]
    assert {name for row in requests for name in row["isakmp.id.data.fqdn"]} == {
        "west.example",
        "east.example",
    }


def test_every_esp_packet_is_decrypted_with_a_good_icv(run: Exported) -> None:
    sent = [frame for frame in run.frames if esp_of(frame.packet) is not None]
    sealed = run.having("esp.spi")
    assert len(sealed) == len(sent) >= 12
    for row in sealed:
        assert row["esp.icv_good"] == ["1"]
        assert {"10.1.0.2", "10.2.0.2"} <= set(row["ip.src"] + row["ip.dst"])
    echoes = [row for row in sealed if row["icmp.type"]]
    assert {(row["icmp.type"][0], row["icmp.seq"][0]) for row in echoes} >= {("8", "1"), ("0", "1")}


def test_every_checksum_is_good(run: Exported) -> None:
    for row in run.rows:
        assert set(row["ip.checksum.status"]) == {GOOD}
        assert set(row["icmp.checksum.status"]) <= {GOOD}
    for row in run.having("isakmp.messageid"):
        assert row["udp.checksum.status"] == [GOOD]
    for row in run.having("esp.spi"):
        assert set(row["udp.checksum.status"]) <= {NOT_PRESENT}  # RFC 3948 2.1


def test_interfaces_times_names_and_comments(run: Exported) -> None:
    for (record, frame), row in zip(run.recorder.of(FrameSent), run.rows, strict=True):
        assert row["frame.interface_name"] == [frame.link]
        assert f"{record.node}:{frame.interface}" in row["frame.interface_description"][0].split(" - ")
        assert int(row["frame.time_epoch"][0].replace(".", "")) == record.at
        assert row["frame.len"] == [str(len(frame.packet))]
        assert row["frame.comment"][0].startswith(f"Turn {record.turn.number}: {record.node} sends ")
    assert {row["ip.src_host"][0] for row in run.having("isakmp.messageid")} == {"west", "east"}


@pytest.mark.parametrize("row", key_log.FILTERS, ids=lambda row: row[0])
def test_each_colour_filter_is_understood_and_fits(row: tuple[str, str, str, str], tmp_path: Path) -> None:
    name = {
        "NAT keepalive": "road_warrior_idle",
        "AH": "ah_meets_nat",
        "dropped or lost": "replay_attack",
        "malformed or bad ICV": "bit_flip",
        "ICMP error": "pmtu_blackhole",
    }.get(row[0], "site_to_site")
    path = library.find(name)
    assert path is not None
    save(Run(read(path)).run(), tmp_path)
    found = tshark(tmp_path, "-Y", row[1])
    if row[0] != "malformed or bad ICV":  # our worlds make none
        assert found


def test_colour_filters_and_columns_are_understood(run: Exported) -> None:
    # a filter that does not compile is a complaint
    line = tshark(run.folder, "--color", "-c1")
    assert "lan_a" in line
    assert "Echo (ping) request" in line


def test_a_suite_that_wireshark_cannot_read_is_left_out_and_said(tmp_path: Path) -> None:
    world = two_gateways(ike="chacha20poly1305-prfsha256-x25519", esp="chacha20poly1305")
    world.ping("a", "b")
    exported = export(world.run().recorder, tmp_path)
    assert len(exported.having("esp.spi")) == 4
    assert exported.having("_ws.malformed") == exported.having("esp.icv_good") == []
    for table, count in (("esp_sa", 2), ("ikev2_decryption_table", 1)):
        lines = (tmp_path / "wireshark" / "profiles" / key_log.PROFILE / table).read_text().splitlines()
        assert all(line.startswith("#") for line in lines)
        assert sum("left out" in line and "chacha20" in line for line in lines) == count


@pytest.mark.parametrize(
    "suite", ["chacha20poly1305", "chacha20poly1305iiv", "aes256gcm16-esn", "aes128-sha256-esn"]
)
def test_each_profile_opens_what_its_versions_can_and_says_what_they_cannot(
    suite: str, tmp_path: Path
) -> None:
    """Asked of the profiles of the tshark that is here and of older ones: a newer one's it need not understand."""
    world = two_gateways(esp=suite)
    world.ping("a", "b")
    export(world.run().recorder, tmp_path)
    profiles = tmp_path / "wireshark" / "profiles"
    for edition in editions():
        exported = read_back(world.recorder, tmp_path, edition.profile)
        sealed = exported.having("esp.spi")
        said = key_log.left_out(profiles / edition.profile)
        assert len(sealed) == 4
        is_readable = "esn" in suite or edition.version == "4.6"
        is_checked = edition.version == "4.6" or ("esn" in suite and edition.version == "4.4")
        assert all(bool(row["icmp.type"]) == is_readable for row in sealed)
        assert all((row["esp.icv_good"] == ["1"]) == is_checked for row in sealed)
        assert len(said) == (0 if is_checked else 2)


def editions() -> list[Edition]:
    """Whose profiles this tshark understands."""
    text = subprocess.run([str(TSHARK), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)\.\d+", text)
    assert found is not None
    return [
        each
        for each in EDITIONS
        if tuple(map(int, each.version.split("."))) <= tuple(map(int, found.groups()))
    ]


def test_a_check_that_wireshark_cannot_do_keeps_nothing_from_being_read(tmp_path: Path) -> None:
    world = two_gateways(ike="aes128-aescmac-prfsha256-x25519", esp="aes256-aesxcbc")
    world.ping("a", "b")
    exported = export(world.run().recorder, tmp_path)
    sealed = exported.having("esp.spi")
    assert len(sealed) == 4
    assert all(row["icmp.type"] and row["esp.icv_good"] == ["0"] for row in sealed)
    assert all(
        {"46", "39", "33"} <= set(row["isakmp.typepayload"])
        for row in exported.having("isakmp.exchangetype", "35")
    )


def test_what_the_demo_writes_down(tmp_path: Path) -> None:
    demo = Run(read("site_to_site")).run()
    save(demo, tmp_path)
    exported = read_back(demo.recorder, tmp_path)
    assert len(exported.rows) == len(exported.frames)
    assert exported.having("_ws.malformed") == []
    assert all(row["ip.checksum.status"][0] == GOOD for row in exported.rows)
    auth = exported.having("isakmp.exchangetype", "35")
    assert len(auth) == 2
    assert all({"46", "39", "33"} <= set(row["isakmp.typepayload"]) for row in auth)
    sealed = exported.having("esp.spi")
    assert len(sealed) == 2
    assert all(row["esp.icv_good"] == ["1"] and row["icmp.type"] for row in sealed)


def test_wireshark_puts_ike_fragments_together(tmp_path: Path) -> None:
    run = Run(read("ike_fragments")).run()
    save(run, tmp_path)
    exported = read_back(run.recorder, tmp_path)
    assert exported.having("_ws.malformed") == []
    pieces = exported.having("isakmp.typepayload", "53")
    joined = [event for _, event in run.recorder.of(IkeFragmentsJoined)]
    assert [row["isakmp.frag.number"] + row["isakmp.frag.total"] for row in pieces] == [
        [str(number), str(event.total)] for event in joined for number in range(1, event.total + 1)
    ]
    # only the last fragment of a message shows what is inside, and all of it
    inside = [set(row["isakmp.typepayload"]) & {"35", "36", "37", "39", "44"} for row in pieces]
    last = [number for number, row in enumerate(pieces) if row["isakmp.reassembled.length"]]
    assert [pieces[at]["isakmp.reassembled.length"] for at in last] == [[str(event.size)] for event in joined]
    assert [inside[at] for at in last] == [{"35", "36", "37", "39", "44"}, {"36", "37", "39", "44"}]


def test_wireshark_reads_the_virtual_addresses(tmp_path: Path) -> None:
    run = Run(read("remote_access_ipv6")).run()
    save(run, tmp_path)
    assert read_back(run.recorder, tmp_path).having("_ws.malformed") == []
    told = {
        "type": ["2"],
        "attr.internal_ip4_address": ["10.9.0.10"],
        "attr.internal_ip6_address": ["fd00:9::1"],
        "attr.internal_ip6_address.prefix": ["128"],
        "attr.internal_ip4_dns": ["10.1.0.53"],
        "attr.internal_ip6_dns": ["fd00:10:1::53"],
        "attr.internal_ip6_subnet_ip": ["fd00:10:1::"],
        "attr.internal_ip6_subnet_prefix": ["64"],
    }
    fields = [f"-eisakmp.cfg.{name}" for name in told]
    text = tshark(tmp_path, "-Y", "isakmp.exchangetype == 35", "-T", "fields", *fields, "-E", "aggregator=|")
    request, answer = dict.fromkeys(text.splitlines())  # each was seen on two links
    assert request.split("\t")[0] == "1"
    assert request.count("|") == 0
    assert answer.split("\t") == ["|".join(each) for each in told.values()]
