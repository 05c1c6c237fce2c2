"""Packets looked through with the keys of the recording, and without."""

from functools import cache

import pytest

from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.packets.xray import xray
from ipsecsim.scenario import read
from ipsecsim.wire.layout import AUTHENTICATED, CLEAR, MUTABLE, SEALED, Field


@cache
def run(name: str) -> Run:
    return Run(read(name)).run()


def sent(name: str, layer: str) -> list[bytes]:
    """The packets of a run that show a layer to somebody without keys."""
    packets = [event.packet for _, event in run(name).recorder.of(FrameSent)]
    return [each for each in packets if found(xray(each).root, layer) is not None]


def found(root: Field, name: str) -> Field | None:
    return next((each for _, each in root.walk() if each.name == name), None)


def field(root: Field, name: str) -> Field:
    there = found(root, name)
    assert there is not None, name
    return there


@pytest.mark.parametrize(
    "name",
    [
        "site_to_site",
        "site_to_site_certs",
        "site_to_site_ipv6",
        "behind_nat",
        "ah_tunnel",
        "transport_esp",
        "ah_and_esp",
        "several_key_exchanges",
        "rekey_ike",
        "ike_fragments",
        "roaming_mobike",
    ],
)
def test_every_packet_of_a_run_opens_and_nothing_in_it_is_malformed(name: str) -> None:
    keys = Keys.of(run(name).recorder.rows)
    for _, event in run(name).recorder.of(FrameSent):
        for _, each in xray(event.packet, keys).root.walk():
            assert each.name not in ("malformed", "not shown"), each
            assert "broken" not in each.value, each
            assert not each.value.startswith("IV, "), each


def test_a_ping_under_esp_is_seen_in_its_place() -> None:
    keys = Keys.of(run("site_to_site").recorder.rows)
    packet = sent("site_to_site", "ESP")[0]
    seen = xray(packet, keys)
    esp = field(seen.root, "ESP")
    assert [each.name for each in esp.children][-5:] == [
        "IPv4",
        "Padding",
        "Pad Length",
        "Next Header",
        "Integrity Check Value (ICV)",
    ]
    icmp = field(esp, "ICMP")
    assert icmp.value.startswith("ECHO")
    assert seen.plain[icmp.start] == 8
    assert len(seen.plain) == len(packet)
    assert seen.plain[: esp.start] == packet[: esp.start]
    classes = {each.name: each.protection for each in esp.children}
    assert classes["Security Parameters Index (SPI)"] == classes["IV"] == AUTHENTICATED
    assert classes["IPv4"] == classes["Padding"] == SEALED
    assert classes["Integrity Check Value (ICV)"] == AUTHENTICATED
    assert {each.protection for each in seen.root.children if each.name != "ESP"} == {CLEAR}


def test_who_has_no_keys_sees_where_it_begins_and_no_more() -> None:
    recorder = run("site_to_site").recorder
    packet = sent("site_to_site", "ESP")[0]
    for keys in (None, Keys.of(recorder.rows).of_node("alice")):
        seen = xray(packet, keys)
        assert seen.plain == packet
        assert found(seen.root, "ICMP") is None
    assert found(xray(packet, Keys.of(recorder.rows).of_node("east")).root, "ICMP") is not None


def test_payloads_under_sk_are_seen() -> None:
    keys = Keys.of(run("site_to_site").recorder.rows)
    message = next(each for each in sent("site_to_site", "IKE") if _is_auth(each))
    assert found(xray(message).root, "Identification - Initiator (35)") is None
    identity = field(xray(message, keys).root, "Identification - Initiator (35)")
    assert identity.value == "west.example"
    assert identity.protection == SEALED


def _is_auth(packet: bytes) -> bool:
    return field(xray(packet).root, "IKE").value.startswith("IKE_AUTH request")


def test_what_a_nat_did_to_ah_shows_as_a_broken_seal() -> None:
    recorder = run("ah_meets_nat").recorder
    keys = Keys.of(recorder.rows)
    dropped = {row.turn.number for row, event in recorder.of(PacketDropped)}
    for row, event in recorder.of(FrameArrived):
        ah = field(xray(event.packet, keys).root, "AH")
        is_broken = row.turn.number in dropped or row.node == "bob"
        assert ("broken" in ah.value) is is_broken
        assert ("would be right" in ah.value) is is_broken
        outer = {each.name: each.protection for each in xray(event.packet, keys).root.children}
        assert outer["Time to Live"] == MUTABLE
        assert outer["Source Address"] == AUTHENTICATED


def test_bytes_that_are_nothing_are_looked_at_too() -> None:
    keys = Keys.of(run("site_to_site").recorder.rows)
    packet = sent("site_to_site", "ESP")[0]
    for end in range(len(packet)):
        assert len(xray(packet[:end], keys).plain) == end
