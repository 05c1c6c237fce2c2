"""Wireshark's reading of single packets, made by our own functions or by a Linux kernel, beside our dissector's."""

import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from struct import pack as pack_numbers

import pytest

from ipsecsim.base.address import pack, unpack
from ipsecsim.wire import ah, esp, icmpv4, icmpv6, ip, ipv4, ipv6, udp
from ipsecsim.wire.checksum import transport_checksum
from ipsecsim.wire.dissect import dissect
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.layout import Field
from ipsecsim.wire.numbers import IpProtocol
from tests.support.pcap import RAW, read_pcap
from tests.unit.wire.samples import IKE_SA_INIT, chained
from tests.vectors.recordings import CAPTURES

TSHARK = shutil.which("tshark")
HOW_TO_GET_IT = "tshark is not installed: `apt-get install tshark` (Debian), `brew install wireshark` (macOS)"

pytestmark = pytest.mark.skipif(TSHARK is None and "CI" not in os.environ, reason=HOW_TO_GET_IT)

A, B = pack("10.1.0.10"), pack("10.2.0.10")
A6, B6, C6 = (pack(f"2001:db8:{number}::10") for number in (1, 2, 3))
HOP, ROUTE, FRAG, DEST = (
    IpProtocol.HOP_BY_HOP,
    IpProtocol.ROUTING,
    IpProtocol.FRAGMENT,
    IpProtocol.DESTINATION_OPTIONS,
)

# Layers of ours, and what Wireshark 4.0 calls their fields.
NUMBERS: dict[str, dict[str, str]] = {
    "IPv4": {
        "Version": "ip.version",
        "DSCP": "ip.dsfield.dscp",
        "ECN": "ip.dsfield.ecn",
        "Total Length": "ip.len",
        "Identification": "ip.id",
        "Flags": "ip.flags",
        "Fragment Offset": "ip.frag_offset",
        "Time to Live": "ip.ttl",
        "Protocol": "ip.proto",
        "Header Checksum": "ip.checksum",
        "Source Address": "ip.src",
        "Destination Address": "ip.dst",
    },
    "IPv6": {
        "Version": "ip.version",
        "DSCP": "ipv6.tclass.dscp",
        "ECN": "ipv6.tclass.ecn",
        "Flow Label": "ipv6.flow",
        "Payload Length": "ipv6.plen",
        "Next Header": "ipv6.nxt",
        "Hop Limit": "ipv6.hlim",
        "Source Address": "ipv6.src",
        "Destination Address": "ipv6.dst",
    },
    "Hop-by-Hop Options": {"Next Header": "ipv6.hopopts.nxt", "Hdr Ext Len": "ipv6.hopopts.len"},
    "Destination Options": {"Next Header": "ipv6.dstopts.nxt", "Hdr Ext Len": "ipv6.dstopts.len"},
    "Routing Header": {
        "Next Header": "ipv6.routing.nxt",
        "Hdr Ext Len": "ipv6.routing.len",
        "Routing Type": "ipv6.routing.type",
        "Segments Left": "ipv6.routing.segleft",
    },
    "Fragment Header": {
        "Next Header": "ipv6.fraghdr.nxt",
        "Fragment Offset": "ipv6.fraghdr.offset",
        "M Flag": "ipv6.fraghdr.more",
        "Identification": "ipv6.fraghdr.ident",
    },
    "AH": {
        "Next Header": "ah.next_header",
        "Payload Len": "ah.length",
        "Security Parameters Index (SPI)": "ah.spi",
        "Sequence Number": "ah.sequence",
    },
    "ESP": {"Security Parameters Index (SPI)": "esp.spi", "Sequence Number": "esp.sequence"},
    "ICMP": {"Type": "icmp.type", "Code": "icmp.code", "Checksum": "icmp.checksum"},
    "ICMPv6": {
        "Type": "icmpv6.type",
        "Code": "icmpv6.code",
        "Checksum": "icmpv6.checksum",
        "Identifier": "icmpv6.echo.identifier",
        "Sequence Number": "icmpv6.echo.sequence_number",
        "MTU": "icmpv6.mtu",
        "Pointer": "icmpv6.pointer",
    },
    "UDP": {
        "Source Port": "udp.srcport",
        "Destination Port": "udp.dstport",
        "Length": "udp.length",
        "Checksum": "udp.checksum",
    },
    "TCP": {
        "Source Port": "tcp.srcport",
        "Destination Port": "tcp.dstport",
        "Sequence Number": "tcp.seq_raw",
        "Acknowledgment Number": "tcp.ack_raw",
        "Window": "tcp.window_size_value",
        "Checksum": "tcp.checksum",
    },
}
ADDRESSES = {"ip.src", "ip.dst", "ipv6.src", "ipv6.dst"}
QUOTED = {"Original datagram": "IPv4", "Invoking packet": "IPv6"}
OPTIONS = "ipv6.opt.type"

STATUS = tuple(f"{name}.checksum.status" for name in ("ip", "udp", "tcp", "icmp", "icmpv6"))
COMPLAINTS = ("_ws.malformed", "_ws.expert.severity", "_ws.expert.message")
COMPARED = tuple(name for names in NUMBERS.values() for name in names.values())
GOOD, UNVERIFIED = "1", "2"
WARNING = 0x600000

Row = dict[str, list[str]]


# -- packets made here ----------------------------------------------------------------------------


def piece(offset: int, *, more: bool) -> bytes:
    return ipv6.fragment_header(FragmentFields(0, offset, more, 0xDEADBEEF))[1:]


def signed(following: int, payload: bytes, alignment: int) -> bytes:
    """AH as it looks with HMAC-SHA2-256-128; nobody asks whether the ICV is right."""
    padding = ah.padding(16, alignment)
    length = ah.FIXED_LENGTH + 16 + padding
    fixed = ah.FIXED.pack(following, length // 4 - 2, 0, 0xCF349D07, 3)
    return fixed + bytes(range(16)) + bytes(padding) + payload


def tcp_syn(source: bytes, destination: bytes) -> bytes:
    segment = pack_numbers("!HHIIHHHH", 443, 51000, 1, 2, 0x5012, 4096, 0, 0)
    checksum = transport_checksum(source, destination, IpProtocol.TCP, segment)
    return segment[:16] + checksum.to_bytes(2, "big") + segment[18:]


ECHO6 = icmpv6.Echo(False, 7, 3, bytes(range(40))).emit(A6, B6)
ECHO4 = icmpv4.Echo(False, 7, 3, bytes(range(40))).emit()
INNER4 = ipv4.build(A, B, IpProtocol.ICMP, ECHO4, identification=0x1234, dont_fragment=True)
INNER6 = ipv6.build(A6, B6, IpProtocol.ICMPV6, ECHO6, hop_limit=9, traffic_class=0xB9, flow_label=0xABCDE)
UDP6 = udp.build(A6, B6, 40001, 40002, bytes(range(40)))
ESP = esp.HEADER.pack(0xCF349D07, 5) + bytes(range(64))
ROUTER_ALERT = bytes((5, 2, 0, 0, 1, 0))
ROUTE_LEFT = bytes((0, 1, 0, 0, 0, 0)) + B6

PACKETS = {
    "IPv4 with options": ipv4.build(A, B, IpProtocol.ICMP, ECHO4, tos=0xB9, options=bytes((148, 4, 0, 0))),
    "IPv4 fragment": ipv4.build(
        A, B, IpProtocol.UDP, bytes(64), more_fragments=True, fragment_offset=1480, identification=9
    ),
    "IKE": ipv4.build(A, B, IpProtocol.UDP, udp.build(A, B, 500, 500, IKE_SA_INIT)),
    "echo": INNER6,
    "echo reply": ipv6.build(A6, B6, IpProtocol.ICMPV6, icmpv6.Echo(True, 7, 3, b"abc").emit(A6, B6)),
    "UDP": ipv6.build(A6, B6, IpProtocol.UDP, UDP6),
    "TCP": ipv6.build(A6, B6, IpProtocol.TCP, tcp_syn(A6, B6)),
    "packet too big": ipv6.build(
        C6, A6, IpProtocol.ICMPV6, icmpv6.IcmpError(2, 0, INNER6, 1280).emit(C6, A6)
    ),
    "parameter problem": ipv6.build(
        C6, A6, IpProtocol.ICMPV6, icmpv6.IcmpError(4, 2, INNER6, 40).emit(C6, A6)
    ),
    "unreachable": ipv6.build(C6, A6, IpProtocol.ICMPV6, icmpv6.IcmpError(1, 4, INNER6).emit(C6, A6)),
    "hop-by-hop options": chained(A6, B6, [(HOP, ROUTER_ALERT)], IpProtocol.ICMPV6, ECHO6),
    "destination options": chained(A6, B6, [(DEST, bytes((1, 12, *bytes(12))))], IpProtocol.UDP, UDP6),
    "routing header": chained(A6, C6, [(ROUTE, ROUTE_LEFT)], IpProtocol.ICMPV6, ECHO6),
    "all of them": chained(
        A6,
        C6,
        [(HOP, ROUTER_ALERT), (DEST, bytes((1, 4, 0, 0, 0, 0))), (ROUTE, ROUTE_LEFT), (DEST, bytes(6))],
        IpProtocol.ICMPV6,
        ECHO6,
    ),
    "first fragment": chained(A6, B6, [(FRAG, piece(0, more=True))], IpProtocol.UDP, UDP6),
    "last fragment": chained(A6, B6, [(FRAG, piece(48, more=False))], IpProtocol.UDP, bytes(range(40))),
    "lone fragment": chained(A6, B6, [(FRAG, piece(0, more=False))], IpProtocol.ICMPV6, ECHO6),
    "ESP": ipv6.build(A6, B6, IpProtocol.ESP, ESP),
    "ESP in UDP": ipv6.build(A6, B6, IpProtocol.UDP, udp.build(A6, B6, 4500, 4500, ESP)),
    "AH transport": ipv4.build(A, B, IpProtocol.AH, signed(IpProtocol.ICMP, ECHO4, 4)),
    "AH transport, TCP": ipv4.build(A, B, IpProtocol.AH, signed(IpProtocol.TCP, tcp_syn(A, B), 4)),
    "AH transport over IPv6": ipv6.build(A6, B6, IpProtocol.AH, signed(IpProtocol.ICMPV6, ECHO6, 8)),
    "AH tunnel": ipv4.build(A, B, IpProtocol.AH, signed(IpProtocol.IPV4, INNER4, 4)),
    "AH tunnel, 6 in 4": ipv4.build(A, B, IpProtocol.AH, signed(IpProtocol.IPV6, INNER6, 4)),
    "AH tunnel, 4 in 6": ipv6.build(A6, B6, IpProtocol.AH, signed(IpProtocol.IPV4, INNER4, 8)),
    "AH around ESP": ipv4.build(A, B, IpProtocol.AH, signed(IpProtocol.ESP, ESP, 4)),
    "AH behind options": chained(
        A6, B6, [(HOP, ROUTER_ALERT)], IpProtocol.AH, signed(IpProtocol.ICMPV6, ECHO6, 8)
    ),
}


# -- both readings --------------------------------------------------------------------------------


def read_by_tshark(packets: list[bytes], folder: Path) -> list[Row]:
    """A row a packet: every occurrence of each field, outermost first. Fragments are left as they are."""
    capture = folder / "packets.pcap"
    header = pack_numbers("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, RAW)
    records = [pack_numbers("<IIII", 0, at, len(each), len(each)) + each for at, each in enumerate(packets)]
    capture.write_bytes(header + b"".join(records))
    wanted = (*COMPLAINTS, *STATUS, OPTIONS, *COMPARED)
    preferences = [
        *("ip.defragment:FALSE", "ipv6.defragment:FALSE", "esp.do_esp_sequence_analysis:FALSE"),
        *(f"{name}:TRUE" for name in ("ip.check_checksum", "udp.check_checksum", "tcp.check_checksum")),
    ]
    options = [option for each in preferences for option in ("-o", each)]
    command = ["tshark", "-n", "-r", str(capture), *options, "-T", "fields", "-E", "aggregator=|"]
    command += [word for name in wanted for word in ("-e", name)]
    environment = {**os.environ, "WIRESHARK_CONFIG_DIR": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    cells = [
        [cell.split("|") if cell else [] for cell in line.split("\t")] for line in done.stdout.splitlines()
    ]
    return [dict(zip(wanted, row, strict=True)) for row in cells]


def read_by_us(packet: bytes) -> dict[str, list[str]]:
    """The same fields from our own tree, as the bits that they cover say."""
    found: dict[str, list[str]] = defaultdict(list)
    for _, layer in dissect(packet).walk():
        names = NUMBERS.get(QUOTED.get(layer.name, layer.name), {})
        for field in layer.children:
            if field.name in names:
                found[names[field.name]].append(shown(packet, field, names[field.name]))
    return found


def shown(packet: bytes, field: Field, name: str) -> str:
    data = packet[field.start : field.end]
    if name in ADDRESSES:
        return unpack(data)
    value = int.from_bytes(data, "big")
    if field.bits is not None:
        offset, width = field.bits
        value = value >> (8 * len(data) - offset - width) & (1 << width) - 1
    return str(value)


def as_number(text: str) -> str:
    """Wireshark shows some numbers as hex, and booleans as words."""
    if text.startswith("0x"):
        return str(int(text, 16))
    return {"True": "1", "False": "0"}.get(text, text)


def differences(packet: bytes, row: Row) -> list[str]:
    ours = read_by_us(packet)
    told = {name: [as_number(text) for text in row[name]] for name in ours}
    return [
        f"{name}: ours {ours[name]}, Wireshark's {told[name]}" for name in ours if ours[name] != told[name]
    ]


def complaints(row: Row) -> list[str]:
    severe = zip(row["_ws.expert.severity"], row["_ws.expert.message"], strict=True)
    return [*row["_ws.malformed"], *(message for severity, message in severe if int(severity) >= WARNING)]


# -- what must hold -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    read = read_by_tshark(list(PACKETS.values()), tmp_path_factory.mktemp("packets"))
    return dict(zip(PACKETS, read, strict=True))


@pytest.mark.parametrize("name", PACKETS)
def test_wireshark_finds_nothing_wrong_and_reads_what_we_read(name, rows):
    assert differences(PACKETS[name], rows[name]) == []
    assert complaints(rows[name]) == []


@pytest.mark.parametrize("name", [name for name in PACKETS if "fragment" not in name])
def test_every_checksum_is_good(name, rows):
    status = {field: rows[name][field] for field in STATUS if rows[name][field]}
    assert all(values[0] == GOOD for values in status.values()), status
    # of a packet that an error quotes Wireshark checks nothing but the IP header
    quotes = any(field.name in QUOTED for _, field in dissect(PACKETS[name]).walk())
    assert {each for values in status.values() for each in values} <= (
        {GOOD, UNVERIFIED} if quotes else {GOOD}
    )
    assert not any("(wrong)" in field.value for _, field in dissect(PACKETS[name]).walk())


def test_options_have_the_types_that_wireshark_sees(rows):
    assert rows["hop-by-hop options"][OPTIONS] == ["0x05", "0x01"]


def recorded() -> list[Path]:
    return sorted((CAPTURES / "kernel").glob("*/from-*.pcap"))


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, bytes, Row]]:
    """What a Linux kernel sent, all its recordings in one file for one run of tshark."""
    frames = [(path, frame.packet) for path in recorded() for frame in read_pcap(path)]
    read = read_by_tshark([packet for _, packet in frames], tmp_path_factory.mktemp("kernel"))
    return [(path, packet, row) for (path, packet), row in zip(frames, read, strict=True)]


def test_packets_of_a_linux_kernel_are_read_as_wireshark_reads_them(kernel):
    assert len(kernel) > 150
    seen: set[str] = set()
    for path, packet, row in kernel:
        assert differences(packet, row) == [], path.parent.name
        assert not row["_ws.malformed"], path.parent.name
        seen |= set(read_by_us(packet))
        ip.check(packet)
    assert seen >= {*NUMBERS["AH"].values(), *NUMBERS["ESP"].values(), *NUMBERS["IPv6"].values()}
