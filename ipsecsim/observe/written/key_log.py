"""A Wireshark profile that opens what the recording has sealed: the keys of IKE and ESP in its own tables.

Start it with `WIRESHARK_CONFIG_DIR=FOLDER wireshark -C ipsecsim -r capture.pcapng` (or tshark).
The keys in these files are those of a simulation; the form is that of Wireshark 4.0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ipsecsim.base.address import unpack
from ipsecsim.crypto.catalogue import WORDS, Encryption, Integrity
from ipsecsim.ike.events import IkeKeysDerived
from ipsecsim.ipsec.events import SaInstalled
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.record import Record
from ipsecsim.wire import esp, ip
from ipsecsim.wire.headers import first
from ipsecsim.wire.in_udp import ike_of
from ipsecsim.wire.numbers import IpProtocol

PROFILE = "ipsecsim"
ANY_ADDRESS = "*"
VERSION = "4.0"  # whose names and columns these are: another one may know more, and say it otherwise
_LEFT_OUT = "# left out: "


@dataclass(frozen=True, slots=True)
class Names:
    """What Wireshark 4.0 calls a cipher in its two tables, in `ike` by key size. Empty: it cannot read it."""

    esp: str = ""
    ike: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckNames:
    """What it calls an integrity algorithm in the same tables. Empty: it cannot read what is protected by it.

    Without `checks` it knows only how long the ICV is, and wants no key.
    """

    esp: str = ""
    ike: str = ""
    checks: bool = True


NOT_READABLE = Names()
AES_KEYS = (128, 192, 256)


def _aead(mode: str, icv: int) -> dict[int, str]:
    return {bits: f"AES-{mode}-{bits} with {icv} octet ICV [RFC5282]" for bits in AES_KEYS}


_ANY_96 = ("ANY 96 bit authentication [no checking]", "ANY 96-bits of Authentication [No Checking]")
_ANY_128 = ("ANY 128 bit authentication [no checking]", "ANY 128-bits of Authentication [No Checking]")

# In "AES-GCM [RFC4106]", without a length, Wireshark expects no ICV at all: never use that name.
ENCRYPTION: dict[str, Names] = {
    "aes-gcm-16": Names("AES-GCM with 16 octet ICV [RFC4106]", _aead("GCM", 16)),
    "aes-gcm-12": Names("AES-GCM with 12 octet ICV [RFC4106]", _aead("GCM", 12)),
    "aes-gcm-8": Names("AES-GCM with 8 octet ICV [RFC4106]", _aead("GCM", 8)),
    "aes-ccm-16": Names(ike=_aead("CCM", 16)),
    "aes-ccm-12": Names(ike=_aead("CCM", 12)),
    "aes-ccm-8": Names(ike=_aead("CCM", 8)),
    "aes-cbc": Names("AES-CBC [RFC3602]", {bits: f"AES-CBC-{bits} [RFC3602]" for bits in AES_KEYS}),
    "aes-ctr": Names("AES-CTR [RFC3686]"),
    "null": Names("NULL"),
    "3des-cbc": Names("TripleDES-CBC [RFC2451]", {192: "3DES [RFC2451]"}),
    "des-cbc": Names("DES-CBC [RFC2405]"),
    "camellia-cbc": NOT_READABLE,
    "chacha20-poly1305": NOT_READABLE,
    "aes-gmac": NOT_READABLE,
    "aes-gcm-16-iiv": NOT_READABLE,
    "aes-ccm-8-iiv": NOT_READABLE,
    "chacha20-poly1305-iiv": NOT_READABLE,
}
INTEGRITY: dict[str, CheckNames] = {
    "": CheckNames("NULL", "NONE [RFC4306]"),
    "hmac-sha2-256-128": CheckNames("HMAC-SHA-256-128 [RFC4868]", "HMAC_SHA2_256_128 [RFC4868]"),
    "hmac-sha2-384-192": CheckNames("HMAC-SHA-384-192 [RFC4868]", "HMAC_SHA2_384_192 [RFC4868]"),
    "hmac-sha2-512-256": CheckNames("HMAC-SHA-512-256 [RFC4868]", "HMAC_SHA2_512_256 [RFC4868]"),
    "hmac-sha2-256-96": CheckNames(
        "HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]",
        "HMAC_SHA2_256_96 [draft-ietf-ipsec-ciph-sha-256-00]",
    ),
    "hmac-sha1-96": CheckNames("HMAC-SHA-1-96 [RFC2404]", "HMAC_SHA1_96 [RFC2404]"),
    "hmac-sha1-160": CheckNames("", "ANY 160-bits of Authentication [No Checking]", checks=False),
    "hmac-md5-96": CheckNames("HMAC-MD5-96 [RFC2403]", "HMAC_MD5_96 [RFC2403]"),
    "hmac-md5-128": CheckNames(*_ANY_128, checks=False),
    "aes-xcbc-96": CheckNames(*_ANY_96, checks=False),
    "aes-cmac-96": CheckNames(*_ANY_96, checks=False),
    "aes-128-gmac": CheckNames(),
    "aes-192-gmac": CheckNames(),
    "aes-256-gmac": CheckNames(),
}

_DROP = ("#FDE6D8", "#A33F00")

PREFERENCES = """\
# Wireshark preferences of the profile "ipsecsim"
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
    """Write `folder`/profiles/ipsecsim and return it. Only keys of SAs that the recorded frames belong to."""
    keys = _Keys()
    for row in rows:
        keys.notice(row)
    profile = folder / "profiles" / PROFILE
    profile.mkdir(parents=True, exist_ok=True)
    texts = {
        "preferences": PREFERENCES,
        "colorfilters": color_filters(),
        "esp_sa": keys.esp_table(),
        "ikev2_decryption_table": keys.ike_table(),
    }
    for name, text in texts.items():
        (profile / name).write_text(text, encoding="utf-8")
    return profile


def left_out(profile: Path) -> list[str]:
    """What a written profile cannot open, a sentence each."""
    tables = [profile / name for name in ("esp_sa", "ikev2_decryption_table")]
    lines = [line for table in tables for line in table.read_text(encoding="utf-8").splitlines()]
    return [line.removeprefix(_LEFT_OUT) for line in lines if line.startswith(_LEFT_OUT)]


def color_filters() -> str:
    """Wireshark's table of colours: each of red, green and blue in 16 bits."""
    lines = ['# Colours of the profile "ipsecsim": name, filter, background, text']
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

    def esp_table(self) -> str:
        """Columns: protocol, source, destination, SPI, encryption, key, authentication, key."""
        lines = ["# ESP keys of the capture beside this profile"]
        for sa in self._esp.values():
            if sa.spi in self._seen_esp:
                lines.append(self._esp_line(sa))
        return "\n".join(lines) + "\n"

    def ike_table(self) -> str:
        """Columns: both SPIs, SK_ei, SK_er, encryption, SK_ai, SK_ar, integrity."""
        lines = ["# IKEv2 keys of the capture beside this profile"]
        for key, sa in self._ike.items():
            if key in self._seen_ike:
                lines.append(_ike_line(sa))
        return "\n".join(lines) + "\n"

    def _esp_line(self, sa: SaInstalled) -> str:
        rows = [WORDS[word].row for word in sa.suite.split("-")]
        cipher = next(row.name for row in rows if isinstance(row, Encryption))
        check = next((row.name for row in rows if isinstance(row, Integrity)), "")
        encryption, integrity = ENCRYPTION[cipher].esp, INTEGRITY[check]
        if not encryption or not integrity.esp:
            return f"{_LEFT_OUT}Wireshark {VERSION} cannot read {sa.suite}, the suite of SPI {sa.spi:08x}"
        # behind a NAT the addresses of the SA are not those of the packet
        is_as_sent = self._seen_esp[sa.spi] == {(sa.source, sa.destination)}
        return _row(
            "IPv4" if len(sa.source) == 4 else "IPv6",
            unpack(sa.source) if is_as_sent else ANY_ADDRESS,
            unpack(sa.destination) if is_as_sent else ANY_ADDRESS,
            f"0x{sa.spi:08x}",
            encryption,
            f"0x{sa.encryption_key.hex()}",
            integrity.esp,
            f"0x{sa.integrity_key.hex()}" if sa.integrity_key and integrity.checks else "",
        )


def _ike_line(sa: IkeKeysDerived) -> str:
    encryption = ENCRYPTION[sa.encryption].ike.get(sa.encryption_bits)
    integrity = INTEGRITY[sa.integrity]
    if not encryption or not integrity.ike:
        suite = f"{sa.encryption} {sa.encryption_bits} {sa.integrity}".strip()
        return f"{_LEFT_OUT}Wireshark {VERSION} cannot read {suite}, the suite of IKE SA {sa.spi_i.hex()}"
    # in this table bytes stand bare: 0x is unknown to it, and what is quoted it takes as letters
    spis_and_keys = (sa.spi_i, sa.spi_r, sa.sk_ei, sa.sk_er)
    checks = ",".join(key.hex() if key and integrity.checks else '""' for key in (sa.sk_ai, sa.sk_ar))
    sealing = ",".join(each.hex() for each in spis_and_keys)
    return f'{sealing},"{encryption}",{checks},"{integrity.ike}"'


def _row(*cells: str) -> str:
    return ",".join(f'"{cell}"' for cell in cells)
