"""Checks a recording of ESP or AH that a Linux kernel made with static keys, one file a direction."""

from functools import partial
from pathlib import Path
from typing import Any

from ipsecsim.base.address import pack
from ipsecsim.wire import ah, ip
from ipsecsim.wire.checksum import is_valid, transport_is_valid
from ipsecsim.wire.numbers import IpProtocol
from tests.support.pcap import Frame, read_pcap
from tests.vectors import algorithms
from tests.vectors.recorded_sa import RecordedSa
from tests.vectors.results import MismatchError, NotSupportedError, Outcome, Result, judge, same
from tests.vectors.written_again import Entry as OuterFields
from tests.vectors.written_again import form_of, sealed_again, start_of

Entry = dict[str, Any]

ECHO = {IpProtocol.ICMP: (8, 0), IpProtocol.ICMPV6: (128, 129)}  # request and reply
ECHO_HEADER_LENGTH = 8
TIMESTAMP_LENGTH = 16  # ping writes the time into the first bytes of its data


def run(family: str, folder: Path, keys: Entry) -> list[Result]:
    """One result a packet, and one for each direction's number of packets."""
    to_b, to_a = keys["sas"]
    there, back = keys["inner"]
    results = _direction(family, folder, "from-a", to_b, (there, back), keys)
    return results + _direction(family, folder, "from-b", to_a, (back, there), keys)


def _direction(
    family: str, folder: Path, name: str, entry: Entry, ends: tuple[str, str], keys: Entry
) -> list[Result]:
    frames, ping = read_pcap(folder / f"{name}.pcap"), keys["ping"]
    try:
        sa = _sa(entry, keys["case"])
    except NotSupportedError as missing:
        return [Result(family, f"{name} SA", Outcome.NOT_SUPPORTED, str(missing))]
    results = [
        judge(
            family, f"{name} {frame.number}", partial(_check, frame, sa, entry, ends, ping, name == "from-b")
        )
        for frame in frames
    ]
    return [*results, judge(family, f"{name} packets", partial(same, "packets", len(frames), ping["count"]))]


def _sa(entry: Entry, case: str) -> RecordedSa:
    suite = algorithms.kernel_suite(entry)
    encryption_key = entry["aead_key_with_salt"] if "aead" in entry else entry.get("encr_key", "")
    # Linux aligns AH to 64 bits unless the SA has the flag `align4`
    is_aligned_to_4 = case.endswith("align4")
    return RecordedSa(
        suite,
        entry["spi"],
        bytes.fromhex(encryption_key),
        bytes.fromhex(entry.get("auth_key", "")),
        extended=entry["esn"],
        sequence=_before(entry),
        alignment=4 if is_aligned_to_4 else ah.LINUX_IPV4_ALIGNMENT,
    )


def _before(entry: Entry) -> int:
    """The number of the last packet before the first one recorded."""
    high, low = entry["initial_seq"] or (0, 0)
    return int(high) << 32 | int(low)


def _check(
    frame: Frame, sa: RecordedSa, entry: Entry, ends: tuple[str, str], ping: Entry, is_reply: bool
) -> None:
    packet = frame.packet
    start = start_of(packet, sa.protocol)
    addresses = ip.source(packet), ip.destination(packet)
    same("addresses", addresses, (pack(entry["src"]), pack(entry["dst"])))
    same("in UDP", ip.upper_layer(packet)[0] == IpProtocol.UDP, entry["udpencap"])
    opened = sa.open(packet, start)
    same("sequence", opened.sequence, _before(entry) + frame.number)
    form = form_of(packet, opened.next_header, is_tunnel=entry["mode"] == "tunnel", entry=OuterFields.COPIED)
    inner = form.disclose(packet, start, opened.payload, opened.next_header)
    same("sealed again", sealed_again(packet, form, sa, opened, inner), packet)
    _check_ping(inner, ends, ping, frame.number, is_reply)


def _check_ping(packet: bytes, ends: tuple[str, str], ping: Entry, number: int, is_reply: bool) -> None:
    ip.check(packet)
    addresses = ip.source(packet), ip.destination(packet)
    same("inner addresses", addresses, (pack(ends[0]), pack(ends[1])))
    same("traffic class", ip.traffic_class(packet), 0)  # ping was not told to set one
    protocol, start = ip.upper_layer(packet)
    message = packet[start:]
    if protocol not in ECHO or len(message) < ECHO_HEADER_LENGTH:
        raise MismatchError("the inner packet is no echo")
    same("type and code", (message[0], message[1]), (ECHO[IpProtocol(protocol)][is_reply], 0))
    if protocol == IpProtocol.ICMPV6:
        same("checksum", transport_is_valid(*addresses, protocol, message), True)
    else:
        same("checksum", is_valid(message), True)
    same("number", int.from_bytes(message[6:8], "big"), number)
    data, pattern, size = message[ECHO_HEADER_LENGTH:], bytes.fromhex(ping["pattern"]), ping["size"]
    filled = bytes(pattern[at % len(pattern)] for at in range(size))
    same("data length", len(data), size)
    same("data", data[TIMESTAMP_LENGTH:], filled[TIMESTAMP_LENGTH:])
