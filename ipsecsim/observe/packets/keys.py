"""The keys that a recording holds, to look under seals with: of all nodes, or of one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import AH_WORDS, ENCRYPTION, INTEGRITY, WORDS, Encryption, EspSuite, Integrity
from ipsecsim.crypto.protection import IntegrityFailed, Protection, make_protection
from ipsecsim.ike.events import IkeKeysDerived
from ipsecsim.ipsec.ah import Ah
from ipsecsim.ipsec.esp import Esp
from ipsecsim.ipsec.events import PacketSealed, SaInstalled
from ipsecsim.observe.record import Record
from ipsecsim.wire import esp
from ipsecsim.wire.ike.header import HEADER_LENGTH, INITIATOR
from ipsecsim.wire.opening import Opened

_FLAGS_AT = 19  # in the IKE header
_BROKEN = "the seal is broken"
_PADDING = "the padding is wrong"
_CIPHERS = {row.name: row for row in ENCRYPTION.values()}
_CHECKS = {row.name: row for row in INTEGRITY.values()}


@dataclass(slots=True)
class _EspKeys:
    suite: EspSuite
    engine: Esp
    extended: bool
    nodes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _AhKeys:
    engine: Ah
    extended: bool
    nodes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _IkeKeys:
    from_initiator: Protection
    from_responder: Protection
    nodes: set[str] = field(default_factory=set)


class Keys:
    """Opens ESP, checks AH, and opens IKE's Encrypted payloads (`wire/opening: Opener`)."""

    def __init__(self) -> None:
        self._esp: dict[int, dict[tuple[bytes, bytes], _EspKeys]] = {}
        self._ah: dict[int, dict[tuple[bytes, int], _AhKeys]] = {}
        self._ike: dict[tuple[bytes, bytes], dict[tuple[bytes, ...], _IkeKeys]] = {}
        self._whole: dict[tuple[int, int], int] = {}  # extended numbers, by SPI and low half
        self._node: str | None = None
        self._noticed = 0  # rows

    @classmethod
    def of(cls, rows: Iterable[Record]) -> "Keys":
        """All keys that the rows tell of."""
        keys = cls()
        for row in rows:
            keys.notice(row)
        return keys

    def catch_up(self, rows: Sequence[Record]) -> Self:
        """Take up what was recorded since the last time."""
        for row in rows[self._noticed :]:
            self.notice(row)
        self._noticed = len(rows)
        return self

    def of_node(self, node: str) -> "Keys":
        """The same keys as far as one node has them: what it can read."""
        view = Keys.__new__(Keys)
        view._esp, view._ah, view._ike, view._whole = self._esp, self._ah, self._ike, self._whole
        view._node = node
        return view

    def notice(self, row: Record) -> None:
        """Take up the keys that a row tells of."""
        event = row.event
        if isinstance(event, SaInstalled):
            if event.protocol == "ESP":
                self._notice_esp(row.node, event)
            else:
                self._notice_ah(row.node, event)
        elif isinstance(event, IkeKeysDerived):
            self._notice_ike(row.node, event)
        elif isinstance(event, PacketSealed) and event.sequence >> 32:
            self._whole[event.spi, event.sequence & 0xFFFF_FFFF] = event.sequence

    def readers(self, packet: bytes) -> frozenset[str]:
        """The nodes that can open an ESP packet, given from its SPI on; none when the recording has no such SA."""
        found = self._esp.get(int.from_bytes(packet[:4], "big"), {})
        return frozenset(node for each in found.values() for node in each.nodes)

    def ike_readers(self, message: bytes) -> frozenset[str]:
        """The nodes that have keys of the IKE SA of a message."""
        found = self._ike.get((message[:8], message[8:16]), {})
        return frozenset(node for each in found.values() for node in each.nodes)

    # -- as an Opener ---------------------------------------------------------------------------

    def esp(self, packet: bytes) -> Opened | None:
        """An ESP packet from SPI to ICV."""
        try:
            spi, low = esp.numbers(packet)
        except RemoteError:
            return None
        broken = None
        for keys in self._esp.get(spi, {}).values():
            if self._node is not None and self._node not in keys.nodes:
                continue
            protection, suite = keys.engine.protection, keys.suite
            encrypts = bool(suite.key_bits) and not _only_signs(suite)
            lengths = (protection.iv_length, protection.icv_length)
            sequence = self._whole.get((spi, low), low) if keys.extended else low
            try:
                authentic = keys.engine.open(packet, 0, len(packet), sequence)
                keys.engine.content(authentic)
            except IntegrityFailed:
                fault = _broken(keys.engine.expected_icv(packet, sequence))
            except RemoteError as refused:
                fault = _PADDING if refused.reason is DropReason.ESP_BAD_PAD else str(refused)
            else:
                return Opened(*lengths, authentic, encrypts, suite.is_authenticated)
            broken = Opened(*lengths, b"", encrypts, suite.is_authenticated, fault)
        return broken

    def ah(self, packet: bytes, start: int) -> str:
        """What is wrong with the ICV of the AH at `start` of a packet; '' when it is right, or nobody can tell."""
        spi = int.from_bytes(packet[start + 4 : start + 8], "big")
        low = int.from_bytes(packet[start + 8 : start + 12], "big")
        fault = ""
        for keys in self._ah.get(spi, {}).values():
            if self._node is not None and self._node not in keys.nodes:
                continue
            sequence = self._whole.get((spi, low), low) if keys.extended else low
            try:
                keys.engine.open(packet, start, len(packet), sequence)
            except RemoteError as refused:
                if refused.reason is DropReason.AH_ICV_FAIL:
                    fault = _broken(keys.engine.expected_icv(packet, start, len(packet), sequence))
                else:  # the length may be that of the other alignment
                    fault = fault or _BROKEN
                continue
            return ""
        return fault

    def ike(self, message: bytes, sealed_at: int) -> Opened | None:
        """An IKE message with an Encrypted payload, whose IV begins at `sealed_at`."""
        if len(message) < HEADER_LENGTH:
            return None
        is_initiator = bool(message[_FLAGS_AT] & INITIATOR)
        broken = None
        # several key exchanges make several sets of keys for one IKE SA: the newest is the likeliest
        for keys in reversed(self._ike.get((message[:8], message[8:16]), {}).values()):
            if self._node is not None and self._node not in keys.nodes:
                continue
            protection = keys.from_initiator if is_initiator else keys.from_responder
            lengths = (protection.iv_length, protection.icv_length)
            try:
                plaintext = protection.open(message[:sealed_at], message[sealed_at:])
            except (IntegrityFailed, ValueError):
                wanted = protection.expected_icv(message[:sealed_at], message[sealed_at:])
                broken = Opened(*lengths, b"", encrypts=True, authenticates=True, fault=_broken(wanted))
                continue
            if not plaintext or plaintext[-1] >= len(plaintext):
                return Opened(*lengths, b"", encrypts=True, authenticates=True, fault=_PADDING)
            return Opened(*lengths, plaintext, encrypts=True, authenticates=True)
        return broken

    # -- gathering ------------------------------------------------------------------------------

    def _notice_esp(self, node: str, event: SaInstalled) -> None:
        same = self._esp.setdefault(event.spi, {})
        key = (event.encryption_key, event.integrity_key)
        if key not in same:
            suite = _esp_suite(event.suite)
            engine = Esp(suite, *key, event.spi, extended=event.extended_sequence)
            same[key] = _EspKeys(suite, engine, event.extended_sequence)
        same[key].nodes.add(node)

    def _notice_ah(self, node: str, event: SaInstalled) -> None:
        same = self._ah.setdefault(event.spi, {})
        row = AH_WORDS[event.suite].row
        assert isinstance(row, Integrity)  # noqa: S101 - a bug of ours
        for alignment in (4, 8):  # the peer's choice, in IPv4 too
            key = (event.integrity_key, alignment)
            if key not in same:
                engine = Ah(
                    row,
                    event.integrity_key,
                    event.spi,
                    extended=event.extended_sequence,
                    alignment=alignment,
                )
                same[key] = _AhKeys(engine, event.extended_sequence)
            same[key].nodes.add(node)

    def _notice_ike(self, node: str, event: IkeKeysDerived) -> None:
        same = self._ike.setdefault((event.spi_i, event.spi_r), {})
        key = (event.sk_ei, event.sk_er, event.sk_ai, event.sk_ar)
        if key not in same:
            cipher, check = _CIPHERS[event.encryption], _CHECKS.get(event.integrity)
            same[key] = _IkeKeys(
                make_protection(cipher, event.encryption_bits, event.sk_ei, check, event.sk_ai),
                make_protection(cipher, event.encryption_bits, event.sk_er, check, event.sk_ar),
            )
        same[key].nodes.add(node)


def _broken(wanted: bytes) -> str:
    return f"{_BROKEN}: {wanted[:4].hex()}... would be right" if wanted else _BROKEN


def _esp_suite(words: str) -> EspSuite:
    """The suite of an event's words, as in 'aes256-sha256'."""
    meanings = [WORDS[word] for word in words.split("-")]
    cipher, bits = next((each.row, each.key_bits) for each in meanings if isinstance(each.row, Encryption))
    check = next((each.row for each in meanings if isinstance(each.row, Integrity)), None)
    return EspSuite(cipher, bits or 0, check)


def _only_signs(suite: EspSuite) -> bool:
    """ENCR_NULL_AUTH_AES_GMAC has a key and hides nothing (RFC 4543)."""
    return "gmac" in suite.encryption.name
