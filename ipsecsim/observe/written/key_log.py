"""A Wireshark profile that opens what the recording has sealed: the keys of IKE and ESP in its own tables.

Start it with `WIRESHARK_CONFIG_DIR=FOLDER wireshark -C ipsecsim -r capture.pcapng` (or tshark).
This profile is for Wireshark 4.0 and all newer ones. Where one of these could open more, a second profile stands
beside it, `ipsecsim-4.6` say. The keys in these files are those of a simulation.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ipsecsim.base.address import unpack
from ipsecsim.crypto.catalogue import WORDS, Encryption, Integrity
from ipsecsim.ike.events import IkeKeysDerived
from ipsecsim.ipsec.events import SaInstalled
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.record import Record
from ipsecsim.observe.written.wireshark_names import EDITIONS, INTEGRITY, CheckNames, Edition
from ipsecsim.wire import esp, ip
from ipsecsim.wire.headers import first
from ipsecsim.wire.in_udp import ike_of
from ipsecsim.wire.numbers import IpProtocol

PROFILE = EDITIONS[0].profile
ANY_ADDRESS = "*"
_LEFT_OUT = "# left out: "


_DROP = ("#FDE6D8", "#A33F00")

PREFERENCES = """\
# Wireshark preferences of the profile "{profile}"
esp.enable_encryption_decode: TRUE
esp.enable_authentication_check: TRUE
# The capture shows a packet on every link that it crosses: its sequence number comes more than once
esp.do_esp_sequence_analysis: FALSE
ip.check_checksum: TRUE
udp.check_checksum: TRUE
nameres.network_name: TRUE
gui.column.format:
\t"No.", "%m",
\t"Time", "%t",
\t"Link", "%Cus:frame.interface_name:0:R",
\t"Source", "%s",
\t"Destination", "%d",
\t"Protocol", "%p",
\t"Length", "%L",
\t"Info", "%i"
"""

FILTERS: tuple[tuple[str, str, str, str], ...] = (
    # what the packet's comment says of its end
    ("dropped or lost", 'frame.comment contains "dropped: " or frame.comment contains "lost: "', *_DROP),
    ("malformed or bad ICV", "_ws.malformed or esp.icv_bad", *_DROP),
    ("ICMP error", "icmp.type in {3, 4, 5, 11, 12} or icmpv6.type < 128", *_DROP),
    ("NAT keepalive", "udpencap.nat_keepalive or isakmp.ike.nat_keepalive", "#F8E3EF", "#8C2F66"),
    ("AH", "ah", "#FDF1D2", "#7A5000"),
    ("ESP", "esp", "#D8F0E6", "#00604A"),
    ("IKE sealed", "isakmp.typepayload == 46 or isakmp.typepayload == 53", "#DDEBF6", "#005A8D"),
    ("IKE in clear", "isakmp", "#E0F0FA", "#17618F"),
    ("in clear", "ip or ipv6", "#E8EAEE", "#4C5362"),
)
"""Name, filter, background and text of each colour, the first that fits counts. The colours are the palette's."""


def write_profile(rows: Iterable[Record], folder: Path) -> Path:
    """Write `folder`/profiles/ipsecsim and return it. Only keys of SAs that the recorded frames belong to.

    Beside it stand ipsecsim-4.4 and so on, each for its version and newer ones, which open more.
    """
    keys = _Keys()
    for row in rows:
        keys.notice(row)
    for edition in EDITIONS:
        profile = folder / "profiles" / edition.profile
        profile.mkdir(parents=True, exist_ok=True)
        texts = {
            "preferences": PREFERENCES.format(profile=edition.profile),
            "colorfilters": color_filters(edition.profile),
            "esp_sa": keys.esp_table(edition),
            "ikev2_decryption_table": keys.ike_table(edition),
        }
        for name, text in texts.items():
            (profile / name).write_text(text, encoding="utf-8")
    return folder / "profiles" / PROFILE


def left_out(profile: Path) -> list[str]:
    """What a written profile cannot open, a sentence each."""
    tables = [profile / name for name in ("esp_sa", "ikev2_decryption_table")]
    lines = [line for table in tables for line in table.read_text(encoding="utf-8").splitlines()]
    return [line.removeprefix(_LEFT_OUT) for line in lines if line.startswith(_LEFT_OUT)]


def color_filters(profile: str = PROFILE) -> str:
    """Wireshark's table of colours: each of red, green and blue in 16 bits."""
    lines = [f'# Colours of the profile "{profile}": name, filter, background, text']
    for name, condition, ground, text in FILTERS:
        lines.append(f"@{name}@{condition}@[{_rgb(ground)}][{_rgb(text)}]")
    return "\n".join(lines) + "\n"


def _rgb(colour: str) -> str:
    return ",".join(str(0x101 * each) for each in bytes.fromhex(colour[1:]))


class _Keys:
    """Gathers keys and the frames that need them. Both ends tell of the same SA: each is kept once."""

    def __init__(self) -> None:
        self._esp: dict[tuple[int, bytes], SaInstalled] = {}
        self._ike: dict[tuple[bytes, bytes], IkeKeysDerived] = {}
        self._seen_esp: dict[int, set[tuple[bytes, bytes]]] = {}
        self._seen_ike: set[tuple[bytes, bytes]] = set()

    def notice(self, row: Record) -> None:
        event = row.event
        if isinstance(event, SaInstalled):
            if event.protocol == "ESP":  # AH has nothing to decrypt, and no table
                self._esp.setdefault((event.spi, event.encryption_key), event)
        elif isinstance(event, IkeKeysDerived):
            # Wireshark knows one set of keys for an IKE SA; additional key exchanges make several: the last
            self._ike[(event.spi_i, event.spi_r)] = event
        elif isinstance(event, FrameSent):
            sealed, ike = first(event.packet, IpProtocol.ESP), ike_of(event.packet)
            if sealed is not None:
                spi, _ = esp.numbers(event.packet, sealed.start)
                around = event.packet[sealed.packet : sealed.end]
                self._seen_esp.setdefault(spi, set()).add((ip.source(around), ip.destination(around)))
            if ike is not None:
                self._seen_ike.add((ike.spi_i, ike.spi_r))

    def esp_table(self, edition: Edition) -> str:
        """Columns: protocol, source, destination, SPI, encryption, key, authentication, key.

        Where Wireshark knows extended sequence numbers, two more: how long they are, and the upper half at first.
        """
        lines = ["# ESP keys of the capture beside this profile"]
        for sa in self._esp.values():
            if sa.spi in self._seen_esp:
                lines += self._esp_lines(sa, edition)
        return "\n".join(lines) + "\n"

    def ike_table(self, edition: Edition) -> str:
        """Columns: both SPIs, SK_ei, SK_er, encryption, SK_ai, SK_ar, integrity."""
        lines = ["# IKEv2 keys of the capture beside this profile"]
        for key, sa in self._ike.items():
            if key in self._seen_ike:
                lines.append(_ike_line(sa, edition))
        return "\n".join(lines) + "\n"

    def _esp_lines(self, sa: SaInstalled, edition: Edition) -> Iterator[str]:
        encryption, integrity = _esp_names(sa, edition)
        if not encryption or not integrity.esp:
            yield (
                f"{_LEFT_OUT}Wireshark {edition.version} cannot read {sa.suite}, the suite of SPI {sa.spi:08x}"
                + _take(
                    next((newer for newer in EDITIONS if _esp_names(sa, newer)[0] and integrity.esp), None)
                )
            )
            return
        if sa.extended_sequence and not edition.knows_esn:
            yield (
                f"{_LEFT_OUT}Wireshark {edition.version} calls every ICV of SPI {sa.spi:08x} bad, "
                f"since it does not know extended sequence numbers"
                + _take(next(newer for newer in EDITIONS if newer.knows_esn))
            )
        # behind a NAT the addresses of the SA are not those of the packet
        is_as_sent = self._seen_esp[sa.spi] == {(sa.source, sa.destination)}
        yield _row(
            "IPv4" if len(sa.source) == 4 else "IPv6",
            unpack(sa.source) if is_as_sent else ANY_ADDRESS,
            unpack(sa.destination) if is_as_sent else ANY_ADDRESS,
            f"0x{sa.spi:08x}",
            encryption,
            f"0x{sa.encryption_key.hex()}",
            integrity.esp,
            f"0x{sa.integrity_key.hex()}" if sa.integrity_key and integrity.checks else "",
            *(("64-bit", f"{sa.sequence >> 32:x}") if sa.extended_sequence and edition.knows_esn else ()),
        )


def _esp_names(sa: SaInstalled, edition: Edition) -> tuple[str, CheckNames]:
    """What Wireshark calls the cipher in its ESP table, and the integrity check."""
    rows = [WORDS[word].row for word in sa.suite.split("-")]
    cipher = next(row.name for row in rows if isinstance(row, Encryption))
    check = next((row.name for row in rows if isinstance(row, Integrity)), "")
    return edition.encryption[cipher].esp, INTEGRITY[check]


def _take(newer: Edition | None) -> str:
    """Which profile to take instead, if there is one."""
    return "" if newer is None else f"; with {newer.version} or newer take the profile {newer.profile}"


def _ike_line(sa: IkeKeysDerived, edition: Edition) -> str:
    encryption = edition.encryption[sa.encryption].ike.get(sa.encryption_bits)
    integrity = INTEGRITY[sa.integrity]
    if not encryption or not integrity.ike:
        suite = f"{sa.encryption} {sa.encryption_bits} {sa.integrity}".strip()
        return f"{_LEFT_OUT}Wireshark {edition.version} cannot read {suite}, the suite of IKE SA {sa.spi_i.hex()}"
    # in this table bytes stand bare: 0x is unknown to it, and what is quoted it takes as letters
    spis_and_keys = (sa.spi_i, sa.spi_r, sa.sk_ei, sa.sk_er)
    checks = ",".join(key.hex() if key and integrity.checks else '""' for key in (sa.sk_ai, sa.sk_ar))
    sealing = ",".join(each.hex() for each in spis_and_keys)
    return f'{sealing},"{encryption}",{checks},"{integrity.ike}"'


def _row(*cells: str) -> str:
    return ",".join(f'"{cell}"' for cell in cells)
