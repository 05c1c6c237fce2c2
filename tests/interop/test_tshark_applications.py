"""Wireshark's reading of calls, name queries and traces; and its own count of a call's loss and jitter."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from ipsecsim.base.instant import MILLISECOND
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.save import save
from ipsecsim.net.events import FlowPacketArrived
from ipsecsim.scenario import read
from tests.interop.test_tshark import HOW_TO_GET_IT, TSHARK, tshark

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(TSHARK is None and "CI" not in os.environ, reason=HOW_TO_GET_IT),
]

LINE = """\
name: line
ip: {version}
nodes: {{alice: {{kind: host}}, near: {{kind: router}}, far: {{kind: router}}, bob: {{kind: host}}}}
links:
  left: [alice, near]
  middle: {{endpoints: [near, far], delay: 30ms, jitter: 6ms, loss: {loss}, mtu: 1300}}
  right: [far, bob]
script: [do: [{sentences}]]
"""


def recorded(folder: Path, *sentences: str, version: int = 4, loss: str = "0%") -> Run:
    run = Run(read(LINE.format(version=version, loss=loss, sentences=", ".join(sentences)))).run()
    save(run, folder)
    return run


@pytest.mark.parametrize("codec", ["g711", "g729"])
def test_wireshark_counts_the_loss_and_the_jitter_of_a_call_as_we_do(codec: str, tmp_path: Path) -> None:
    run = recorded(tmp_path, f"voice alice bob codec={codec} duration=5s", loss="8%")
    as_rtp = ("-d", "udp.port==5004,rtp")
    # what leaves the last router is what bob hears, a little later
    tshark(tmp_path, *as_rtp, "-Y", 'rtp && frame.interface_name == "right"', "-w", str(tmp_path / "heard"))
    (tmp_path / "capture.pcapng").write_bytes((tmp_path / "heard").read_bytes())
    words = tshark(tmp_path, *as_rtp, "-q", "-z", "rtp,streams").splitlines()[2].split()
    assert words[7].lower().startswith(codec)
    packets, lost, mean, longest = int(words[8]), int(words[9]), float(words[15]), float(words[16])

    arrived = [event for _, event in run.recorder.of(FlowPacketArrived)]
    estimates = [0.0]
    for before, after in pairwise(arrived):
        estimates.append(estimates[-1] + (abs(after.transit - before.transit) - estimates[-1]) / 16)
    result = run.world.results["voice"]
    assert packets == result.received == len(arrived)
    assert lost == result.lost > 0
    assert mean == pytest.approx(sum(estimates) / len(estimates) / MILLISECOND, abs=0.05)
    assert longest == pytest.approx(max(estimates) / MILLISECOND, abs=0.05)
    assert result.jitter == pytest.approx(estimates[-1], abs=1000)


@pytest.mark.parametrize(("version", "address"), [(4, "10.2.0.2"), (6, "fd00:10:2::2")])
def test_wireshark_reads_questions_and_answers(version: int, address: str, tmp_path: Path) -> None:
    recorded(tmp_path, "dns alice bob count=2", version=version)
    kind = "a" if version == 4 else "aaaa"
    text = tshark(
        tmp_path,
        *("-Y", 'dns && frame.interface_name == "right"', "-T", "fields"),
        *("-e", "dns.qry.name", "-e", "dns.flags.response", "-e", f"dns.{kind}", "-e", "_ws.malformed"),
    )
    rows = [line.split("\t") for line in text.splitlines()]
    assert [row[0] for row in rows] == ["host1.example", "host1.example", "host2.example", "host2.example"]
    assert [row[2] for row in rows] == ["", address, "", address]
    assert all(row[3] == "" for row in rows)


def test_wireshark_sees_a_traceroute(tmp_path: Path) -> None:
    recorded(tmp_path, "trace alice bob")
    text = tshark(
        tmp_path,
        *("-Y", 'frame.interface_name == "left" && ip.src == 10.1.0.2 && !icmp', "-T", "fields"),
        *("-e", "ip.ttl", "-e", "ip.len", "-e", "udp.dstport", "-e", "ip.flags.df"),
    )
    rows = [tuple(map(int, line.replace("True", "1").split("\t"))) for line in text.splitlines()]
    assert [row[:2] for row in rows] == [(1, 1500), (2, 1500), (2, 1300), (3, 1300)]
    assert [row[2] for row in rows] == [33435, 33436, 33437, 33438]
    assert {row[3] for row in rows} == {1}
