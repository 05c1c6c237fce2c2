"""Checks a recording of ESP or AH that a Linux kernel made with static keys, one file a direction."""

from functools import partial
from pathlib import Path
from typing import Any

from ipsecsim.base.address import pack
from ipsecsim.wire import icmpv4, ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.support.pcap import Frame, read_pcap
from tests.vectors import algorithms
from tests.vectors.esp_keys import EspKeys, Opened, unwrap, wrap_again
from tests.vectors.results import MismatchError, NotSupportedError, Outcome, Result, judge, same

Entry = dict[str, Any]

TIMESTAMP_LENGTH = 16  # ping writes the time into the first bytes of its data


def run(family: str, folder: Path, keys: Entry) -> list[Result]:
    """One result a packet, and one for each direction's number of packets."""
    to_b, to_a = keys["sas"]
    there, back = keys["inner"]
    results = _direction(family, folder, "from-a", to_b, (there, back), keys["ping"])
    return results + _direction(family, folder, "from-b", to_a, (back, there), keys["ping"])


def _direction(
    family: str, folder: Path, name: str, sa: Entry, ends: tuple[str, str], ping: Entry
) -> list[Result]:
    frames = read_pcap(folder / f"{name}.pcap")
    results = [
        judge(family, f"{name} {frame.number}", partial(_check, frame, sa, ends, ping, name == "from-b"))
        for frame in frames
    ]
    missing = {result.detail for result in results if result.outcome is Outcome.NOT_SUPPORTED}
    return [*results, judge(family, f"{name} packets", partial(_count, len(frames), ping["count"], missing))]


def _count(frames: int, expected: int, missing: set[str]) -> None:
    same("packets", frames, expected)
    if missing:
        raise NotSupportedError(", ".join(sorted(missing)))


def _check(frame: Frame, sa: Entry, ends: tuple[str, str], ping: Entry, is_reply: bool) -> None:
    if sa["proto"] != "esp":
        raise NotSupportedError(sa["proto"].upper())
    if ":" in sa["src"]:
        raise NotSupportedError("IPv6")
    if sa["esn"]:
        raise NotSupportedError("extended sequence numbers")
    same("initial sequence number", sa["initial_seq"], None)
    opened = _opened(frame, sa)
    same("sequence", opened.sequence, frame.number)
    if sa["mode"] != "tunnel":
        raise NotSupportedError(f"{sa['mode']} mode")
    if ":" in ends[0]:
        same("next header", opened.next_header, IpProtocol.IPV6)
        raise NotSupportedError("IPv6")
    same("next header", opened.next_header, IpProtocol.IPV4)
    _check_ping(opened.inner, ends, ping, frame.number, is_reply)


def _opened(frame: Frame, sa: Entry) -> Opened:
    """The packet opened, once it was sealed again to the same octets, outer header included."""
    suite = algorithms.kernel_esp(sa)
    encryption_key = bytes.fromhex(sa["aead_key_with_salt"] if "aead" in sa else sa["encr_key"])
    keys = EspKeys(suite, sa["spi"], encryption_key, bytes.fromhex(sa.get("auth_key", "")))
    opened = keys.open(unwrap(frame.packet))
    same("sealed again", wrap_again(frame.packet, keys.seal_again(opened)), frame.packet)
    outer = ipv4.parse(frame.packet)
    same("addresses", (outer.source, outer.destination), (pack(sa["src"]), pack(sa["dst"])))
    same("in UDP", outer.protocol == IpProtocol.UDP, sa["udpencap"])
    same("spi", opened.spi, sa["spi"])
    return opened


def _check_ping(packet: bytes, ends: tuple[str, str], ping: Entry, number: int, is_reply: bool) -> None:
    header = ipv4.parse(packet)
    same("inner addresses", (header.source, header.destination), (pack(ends[0]), pack(ends[1])))
    echo = icmpv4.parse(ipv4.payload(packet))
    if not isinstance(echo, icmpv4.Echo):
        raise MismatchError("the inner packet is no echo")
    same("echo", (echo.is_reply, echo.sequence), (is_reply, number))
    pattern, size = bytes.fromhex(ping["pattern"]), ping["size"]
    filled = bytes(pattern[at % len(pattern)] for at in range(size))
    same("data length", len(echo.data), size)
    same("data", echo.data[TIMESTAMP_LENGTH:], filled[TIMESTAMP_LENGTH:])
