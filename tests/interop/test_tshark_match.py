"""What a firewall reads off a packet is what Wireshark reads, in every packet recorded from real peers."""

import os
import shutil
import subprocess
from pathlib import Path
from struct import Struct

import pytest

from ipsecsim.base.address import unpack
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameSent
from ipsecsim.scenario import read
from ipsecsim.stack.match import Seen, icmp_number
from ipsecsim.wire.numbers import IpProtocol
from tests.interop.test_tshark import HOW_TO_GET_IT
from tests.support.pcap import RAW, read_pcap

TSHARK = shutil.which("tshark")
pytestmark = pytest.mark.skipif(TSHARK is None and "CI" not in os.environ, reason=HOW_TO_GET_IT)

CAPTURES = Path(__file__).parents[1] / "vectors" / "captures"
FIELDS = (
    "ip.src", "ip.dst", "ip.proto", "ip.len", "ip.dsfield.dscp",
    "ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.tclass.dscp",
    "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport", "icmp.type", "icmp.code",
    "icmpv6.type", "icmpv6.code",
)  # fmt: skip


def as_wireshark_reads(path: Path) -> list[dict[str, str]]:
    """The first value of each field, frame by frame; fragments stay fragments."""
    wanted = [word for name in FIELDS for word in ("-e", name)]
    alone = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-n"]
    lines = subprocess.run(
        [str(TSHARK), "-r", str(path), *alone, "-T", "fields", "-E", "occurrence=f", *wanted],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in lines]


def as_a_firewall_reads(packet: bytes) -> dict[str, str]:
    """The same fields, of those that it looks at."""
    seen = Seen(packet)
    of = "ip" if packet[0] >> 4 == 4 else "ipv6"
    read = {f"{of}.src": unpack(seen.source), f"{of}.dst": unpack(seen.destination)}
    if of == "ip":
        read |= {"ip.proto": str(seen.protocol), "ip.len": str(seen.size), "ip.dsfield.dscp": str(seen.dscp)}
    else:
        read |= {"ipv6.plen": str(seen.size - 40), "ipv6.tclass.dscp": str(seen.dscp)}
    layer = {IpProtocol.UDP: "udp", IpProtocol.TCP: "tcp"}.get(seen.protocol)
    if layer is not None:
        read |= {
            f"{layer}.srcport": shown(seen.source_port),
            f"{layer}.dstport": shown(seen.destination_port),
        }
    layer = {IpProtocol.ICMP: "icmp", IpProtocol.ICMPV6: "icmpv6"}.get(seen.protocol)
    if layer is not None and seen.icmp is not None:
        assert seen.icmp == icmp_number(seen.protocol, seen.icmp >> 8 & 0xFF, seen.icmp & 0xFF)
        read |= {f"{layer}.type": str(seen.icmp >> 8 & 0xFF), f"{layer}.code": str(seen.icmp & 0xFF)}
    return read


def shown(port: int | None) -> str:
    return "" if port is None else str(port)


def compare(path: Path) -> list[Seen]:
    """Every packet of a capture, read both ways."""
    frames, told = read_pcap(path), as_wireshark_reads(path)
    assert len(told) == len(frames)
    found = []
    for frame, fields in zip(frames, told, strict=True):
        if not frame.version:
            continue  # ARP and the like
        own = as_a_firewall_reads(frame.packet)
        assert {key: fields[key] for key in own} == own, f"{path.name} frame {frame.number}"
        found.append(Seen(frame.packet))
    return found


@pytest.mark.slow
def test_what_is_read_is_the_same_in_every_recorded_packet():
    found = [seen for path in sorted(CAPTURES.rglob("*.pcap")) for seen in compare(path)]
    assert len(found) > 700
    assert {seen.protocol for seen in found} >= {IpProtocol.UDP, IpProtocol.ESP, IpProtocol.AH}


OFFICE = """
name: office
ip: both
nodes:
  pc: {kind: host}
  fw: {kind: firewall, firewall: {rules: [reject dst=server proto=udp dport=99]}}
  server: {kind: host}
links: {lan: [pc, fw], wan: {endpoints: [fw, server], mtu: 1280}}
script:
"""


TRAFFIC = ("ping pc server size=3000 dscp=ef", "send pc server proto=udp dport=99 size=10")


@pytest.mark.slow
def test_fragments_and_icmp_of_both_versions_are_read_alike_too(tmp_path):
    """Recorded peers sent neither in clear. Of later fragments Wireshark sees no ports either."""
    both = [f"{what} ip={version}" for what in TRAFFIC for version in (4, 6)]
    run = Run(read(OFFICE + "".join(f"  - do: {line}\n" for line in both))).run()
    packets = [sent.packet for _, sent in run.recorder.of(FrameSent)]
    path = tmp_path / "office.pcap"
    path.write_bytes(
        Struct("<IHHiIII").pack(0xA1B2C3D4, 2, 4, 0, 0, 0xFFFF, RAW)
        + b"".join(Struct("<IIII").pack(0, 0, len(each), len(each)) + each for each in packets)
    )
    found = compare(path)
    assert len({seen.icmp for seen in found}) >= 7  # pings, answers and errors of both versions
    assert {len(seen.source) for seen in found if seen.is_later_fragment} == {4, 16}
    assert any(seen.dscp == 46 for seen in found)
