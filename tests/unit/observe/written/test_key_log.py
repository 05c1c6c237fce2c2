"""The Wireshark profile's tables. Whether Wireshark opens packets with them is asked in tests/interop."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecsim.base.address import pack
from ipsecsim.crypto.catalogue import ENCRYPTION, INTEGRITY
from ipsecsim.ike.events import IkeKeysDerived
from ipsecsim.ipsec.events import SaInstalled
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.packets.packet_summary import esp_of
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.written import key_log, wireshark_names
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import install
from tests.unit.observe.replayed import replayed
from tests.unit.wire.samples import chained


def table(recorder: Recorder, folder: Path, name: str) -> list[list[str]]:
    text = (key_log.write_profile(recorder.rows, folder) / name).read_text(encoding="utf-8")
    return list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))


def ping(**options: str) -> World:
    world = two_gateways(**options)  # type: ignore[arg-type]
    world.ping("a", "b")
    return world.run()


def test_the_profile_is_where_wireshark_looks_for_it(ping_world: World, tmp_path: Path) -> None:
    profile = key_log.write_profile(ping_world.recorder.rows, tmp_path)
    assert profile == tmp_path / "profiles" / "ipsecsim"
    names = {"preferences", "esp_sa", "ikev2_decryption_table", "colorfilters"}
    assert {path.name for path in profile.iterdir()} == names


def test_each_esp_sa_stands_once_though_both_ends_told_of_it(ping_world: World, tmp_path: Path) -> None:
    rows = table(ping_world.recorder, tmp_path, "esp_sa")
    installed = {event.spi: event for _, event in ping_world.recorder.of(SaInstalled)}
    assert len(rows) == len(installed) == 2
    for protocol, source, destination, spi, cipher, key, check, check_key in rows:
        sa = installed[int(spi, 16)]
        assert (protocol, key, check, check_key) == ("IPv4", f"0x{sa.encryption_key.hex()}", "NULL", "")
        assert {source, destination} == {"192.0.2.1", "198.51.100.2"}
        assert cipher == "AES-GCM with 16 octet ICV [RFC4106]"


def test_classic_suites_have_their_integrity_key(tmp_path: Path) -> None:
    world = ping(ike="aes128-sha256-ecp256", esp="aes128-sha512")
    installed = {event.spi: event for _, event in world.recorder.of(SaInstalled)}
    for *_, spi, cipher, _key, check, check_key in table(world.recorder, tmp_path, "esp_sa"):
        assert (cipher, check) == ("AES-CBC [RFC3602]", "HMAC-SHA-512-256 [RFC4868]")
        assert check_key == f"0x{installed[int(spi, 16)].integrity_key.hex()}"
    (row,) = table(world.recorder, tmp_path, "ikev2_decryption_table")
    keys = world.recorder.of(IkeKeysDerived)[0][1]
    assert row == [
        *(each.hex() for each in (keys.spi_i, keys.spi_r, keys.sk_ei, keys.sk_er)),
        "AES-CBC-128 [RFC3602]",
        keys.sk_ai.hex(),
        keys.sk_ar.hex(),
        "HMAC_SHA2_256_128 [RFC4868]",
    ]


def test_an_sa_without_a_packet_in_the_capture_is_left_out(tmp_path: Path) -> None:
    """Wireshark walks the whole table for every packet."""
    world = two_gateways()
    world.initiate("west")
    world.run()
    assert world.recorder.of(SaInstalled)
    assert table(world.recorder, tmp_path, "esp_sa") == []
    assert len(table(world.recorder, tmp_path, "ikev2_decryption_table")) == 1


def test_behind_a_nat_any_address_will_do(ping_world: World, tmp_path: Path) -> None:
    """The SA's addresses are then not those that the packets carry."""

    def translated(row):
        event = row.event
        if isinstance(event, FrameSent) and event.link == "wan_east" and esp_of(event.packet) is not None:
            header = ipv4.parse(event.packet)
            moved = ipv4.build(
                pack("203.0.113.5"), header.destination, header.protocol, ipv4.payload(event.packet)
            )
            return [replace(event, packet=moved)]
        return [event]

    for row in table(replayed(ping_world.recorder, translated), tmp_path, "esp_sa"):
        assert row[1:3] == ["*", "*"]


def test_sas_over_ipv6(ping_world: World, tmp_path: Path) -> None:
    """Also when it takes a walk over extension headers to find the ESP."""
    ends = pack("2001:db8:1::1"), pack("2001:db8:2::1")

    def moved(row):
        event = row.event
        if isinstance(event, SaInstalled) and event.source != event.destination:
            there, back = ends if event.source == pack("192.0.2.1") else ends[::-1]
            return [replace(event, source=there, destination=back)]
        if isinstance(event, FrameSent) and esp_of(event.packet) is not None:
            there, back = ends if ipv4.parse(event.packet).source == pack("192.0.2.1") else ends[::-1]
            options = [(IpProtocol.HOP_BY_HOP, bytes(6))]
            return [
                replace(
                    event, packet=chained(there, back, options, IpProtocol.ESP, ipv4.payload(event.packet))
                )
            ]
        return [event]

    rows = table(replayed(ping_world.recorder, moved), tmp_path, "esp_sa")
    assert {tuple(row[:3]) for row in rows} == {
        ("IPv6", "2001:db8:1::1", "2001:db8:2::1"),
        ("IPv6", "2001:db8:2::1", "2001:db8:1::1"),
    }


def test_ah_has_nothing_to_decrypt(tmp_path: Path) -> None:
    world = install(two_gateways(), IpProtocol.AH, "sha256")
    world.ping("a", "b")
    assert table(world.run().recorder, tmp_path, "esp_sa") == []
    assert "left out" not in (tmp_path / "profiles" / "ipsecsim" / "esp_sa").read_text()


def test_unreadable_suites_are_named_in_a_comment(tmp_path: Path) -> None:
    world = ping(esp="chacha20poly1305")
    spi = world.recorder.of(SaInstalled)[0][1].spi
    text = (key_log.write_profile(world.recorder.rows, tmp_path) / "esp_sa").read_text()
    assert f"# left out: Wireshark 4.0 cannot read chacha20poly1305, the suite of SPI {spi:08x}" in text


def test_a_newer_wireshark_has_a_profile_that_opens_more(tmp_path: Path) -> None:
    world = ping(esp="chacha20poly1305")
    oldest = key_log.write_profile(world.recorder.rows, tmp_path)
    newest = oldest.with_name("ipsecsim-4.6")
    assert len(key_log.left_out(oldest)) == 2
    assert all(
        each.endswith("; with 4.6 or newer take the profile ipsecsim-4.6")
        for each in key_log.left_out(oldest)
    )
    assert key_log.left_out(newest) == []
    assert (newest / "esp_sa").read_text().count('"ChaCha20 with Poly1305 [RFC7634]"') == 2


def test_extended_sequence_numbers_have_columns_where_wireshark_knows_them(tmp_path: Path) -> None:
    world = ping(esp="aes256gcm16-esn")
    oldest = key_log.write_profile(world.recorder.rows, tmp_path)
    rows = [line for line in (oldest / "esp_sa").read_text().splitlines() if not line.startswith("#")]
    newer = (oldest.with_name("ipsecsim-4.4") / "esp_sa").read_text().splitlines()[1:]
    assert newer == [f'{row},"64-bit","0"' for row in rows]
    assert all("extended sequence numbers; with 4.4 or newer" in each for each in key_log.left_out(oldest))
    assert len(key_log.left_out(oldest)) == 2


def test_a_check_that_wireshark_cannot_do_is_left_out_and_its_key_too(tmp_path: Path) -> None:
    world = ping(ike="aes128-aesxcbc-prfsha256-x25519", esp="aes128-aescmac")
    for row in table(world.recorder, tmp_path, "esp_sa"):
        assert row[-2:] == ["ANY 96 bit authentication [no checking]", ""]
    (row,) = table(world.recorder, tmp_path, "ikev2_decryption_table")
    assert row[-3:] == ["", "", "ANY 96-bits of Authentication [No Checking]"]


@pytest.mark.parametrize("row", ENCRYPTION.values(), ids=lambda row: row.name)
def test_every_cipher_has_its_names_or_is_said_to_have_none(row) -> None:
    names = wireshark_names.ENCRYPTION[row.name]
    assert not names.ike or set(names.ike) == set(row.key_bits)
    assert names is wireshark_names.NOT_READABLE or names.esp or names.ike
    assert not (row.esp_only and names.ike)


@pytest.mark.parametrize("row", INTEGRITY.values(), ids=lambda row: row.name)
def test_every_integrity_check_has_its_names_or_is_said_to_have_none(row) -> None:
    names = wireshark_names.INTEGRITY[row.name]
    assert names.ike or row.ah_only
    assert not (row.ah_only and (names.esp or names.ike))
