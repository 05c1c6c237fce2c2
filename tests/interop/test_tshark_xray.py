"""Whole captures of our worlds, opened with the written profile: our X-ray and Wireshark's reading, field by field.

What both show is compared in every packet, outermost first: addresses, ports, lengths, checksums, SPIs, sequence
numbers, the payload chain of IKE with its lengths, under the seal too, and the packets inside ESP.
"""

import os
from collections import defaultdict
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

from ipsecsim.base.address import unpack
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.packets.xray import Xray, xray
from ipsecsim.scenario import read
from ipsecsim.wire.layout import Field
from tests.interop.test_tshark import HOW_TO_GET_IT, TSHARK, export, tshark
from tests.interop.test_tshark_packets import ADDRESSES, NUMBERS, QUOTED, as_number

pytestmark = [
    pytest.mark.skipif(TSHARK is None and "CI" not in os.environ, reason=HOW_TO_GET_IT),
    pytest.mark.slow,
]

WORLDS = (
    "site_to_site",
    "behind_nat",
    "site_to_site_certs",
    "site_to_site_ipv6",
    "ah_tunnel",
    "transport_esp",
    "ah_and_esp",
    "rekey_child",
    "rekey_ike",
    "roaming_mobike",
    "several_key_exchanges",
    "ike_fragments",
    "six_in_four",
    "replay_attack",
    "road_warriors",
    "pmtu_blackhole",
)

PAYLOAD = {"Next Payload": "isakmp.nextpayload", "Payload Length": "isakmp.payloadlength"}
IKE = {
    "IKE": {
        "IKE SA Initiator's SPI": "isakmp.ispi",
        "IKE SA Responder's SPI": "isakmp.rspi",
        "Next Payload": "isakmp.nextpayload",
        "Major Version": "isakmp.mjver",
        "Minor Version": "isakmp.mnver",
        "Exchange Type": "isakmp.exchangetype",
        "Message ID": "isakmp.messageid",
        "Length": "isakmp.length",
    },
    "Proposal": {
        "Last Substruc": "isakmp.nextpayload",
        "Proposal Length": "isakmp.payloadlength",
        "Proposal Num": "isakmp.prop.number",
        "Protocol ID": "isakmp.prop.protoid",
        "SPI Size": "isakmp.spisize",
        "Num Transforms": "isakmp.prop.transforms",
    },
    "Transform": {
        "Last Substruc": "isakmp.nextpayload",
        "Transform Length": "isakmp.payloadlength",
        "Transform Type": "isakmp.tf.type",
    },
    "Notify": {
        "Protocol ID": "isakmp.notify.protoid",
        "SPI Size": "isakmp.spisize",
        "Notify Message Type": "isakmp.notify.msgtype",
    },
    "Delete": {"SPI Size": "isakmp.spisize"},
    "Key Exchange": {"Diffie-Hellman Group Num": "isakmp.key_exchange.dh_group"},
    "Authentication": {"Auth Method": "isakmp.auth.method"},
    "Identification": {"ID Type": "isakmp.id.type"},
    "Traffic Selector": {
        "Number of TSs": "isakmp.ts.number",
        "TS Type": "isakmp.ts.type",
        "IP Protocol ID": "isakmp.ts.protoid",
        "Selector Length": "isakmp.ts.selector_length",
        "Start Port": "isakmp.ts.start_port",
        "End Port": "isakmp.ts.end_port",
    },
}
BYTES = {"isakmp.ispi", "isakmp.rspi"}


def names_of(layer: Field) -> dict[str, str]:
    """What Wireshark calls the fields of a layer of ours."""
    known = NUMBERS.get(QUOTED.get(layer.name, layer.name))
    if known is not None:
        return known
    if layer.name == "IKE":
        return IKE["IKE"]
    family = next((name for name in IKE if layer.name.startswith(name)), "")
    return {**PAYLOAD, **IKE.get(family, {})} if layer.name.endswith(")") or family else {}


def ours(seen: Xray) -> dict[str, list[str]]:
    """Each field that Wireshark has a name for, as the bits say, in the order in which they stand."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for _, layer in seen.root.walk():
        names = names_of(layer)
        for field in layer.children:
            if field.name in names:
                name = names[field.name]
                found[name].append((field.start, shown(seen.plain, field, name)))
    return {name: [value for _, value in values] for name, values in found.items()}


def shown(plain: bytes, field: Field, name: str) -> str:
    data = plain[field.start : field.end]
    if name in ADDRESSES:
        return unpack(data)
    if name in BYTES:
        return data.hex()
    value = int.from_bytes(data, "big")
    if field.bits is not None:
        offset, width = field.bits
        value = value >> (8 * len(data) - offset - width) & (1 << width) - 1
    return str(value)


FIELDS = tuple(
    dict.fromkeys(name for table in (*NUMBERS.values(), PAYLOAD, *IKE.values()) for name in table.values())
)
PREFERENCES = ("-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE")


class Explained(Enum):
    """Where Wireshark shows other fields than we do, and why both are right."""

    JOINED = (
        "with the last fragment of a message it shows the whole message, which no bytes of this packet are"
    )
    PIECE = "it reads the start of the first IP fragment as a header; to us a fragment holds bytes"
    OTHER_KEYS = "it knows one set of keys for an IKE SA; IKE_INTERMEDIATE was sealed with an earlier one"


def explained(seen: Xray) -> Explained | None:
    """Which of these a packet is subject to; what both show must still be the same."""
    names = {field.name for _, field in seen.root.walk()}
    values = {field.value for _, field in seen.root.walk() if field.name == "Exchange Type"}
    if "Total Fragments" in names:
        return Explained.JOINED
    if any(name.startswith("Fragment of") for name in names):
        return Explained.PIECE
    return Explained.OTHER_KEYS if "IKE_INTERMEDIATE (43)" in values else None


@cache
def opened(name: str) -> tuple[Run, Keys]:
    run = Run(read(name)).run()
    return run, Keys.of(run.recorder.rows)


def agreement(mine: list[str], theirs: list[str], why: Explained | None) -> bool:
    """The same occurrences in the same order; in an explained packet as far as both go, or in front of the seal."""
    both = min(len(mine), len(theirs)) if why is not None else max(len(mine), len(theirs))
    if why is Explained.OTHER_KEYS:
        both = min(both, 1)
    return mine[:both] == theirs[:both]


@pytest.mark.parametrize("name", WORLDS)
def test_wireshark_reads_what_we_read(name: str, tmp_path: Path) -> None:
    run, keys = opened(name)
    export(run.recorder, tmp_path)
    wanted = [option for field in FIELDS for option in ("-e", field)]
    text = tshark(tmp_path, *PREFERENCES, "-T", "fields", *wanted, "-E", "aggregator=|")
    lines = text.splitlines()
    frames = [event.packet for _, event in run.recorder.of(FrameSent)]
    assert len(lines) == len(frames)
    wrong, compared = [], 0
    for number, (packet, line) in enumerate(zip(frames, lines, strict=True), start=1):
        seen = xray(packet, keys)
        mine, why = ours(seen), explained(seen)
        cells = dict(zip(FIELDS, line.split("\t"), strict=True))
        for field, cell in cells.items():
            said = cell.split("|") if cell else []
            theirs = said if field in BYTES | ADDRESSES else [as_number(each) for each in said]
            found = mine.get(field, [])
            compared += len(found)
            if not agreement(found, theirs, why):
                wrong.append(f"frame {number}, {field}: ours {found}, Wireshark's {theirs}")
    assert wrong == []
    assert compared > 10 * len(frames)


def test_each_explanation_is_needed(tmp_path: Path) -> None:
    """An explanation that explains nothing would hide something."""
    needed = set()
    for name in ("ike_fragments", "transport_esp", "several_key_exchanges"):
        run, keys = opened(name)
        needed |= {explained(xray(event.packet, keys)) for _, event in run.recorder.of(FrameSent)}
    assert needed == {None, *Explained}


def test_a_field_read_wrongly_is_found_out() -> None:
    run, keys = opened("site_to_site")
    packet = run.recorder.of(FrameSent)[0][1].packet
    read_right = ours(xray(packet, keys))
    changed = bytearray(packet)
    changed[8] ^= 1
    assert not agreement(ours(xray(bytes(changed), keys))["ip.ttl"], read_right["ip.ttl"], None)
