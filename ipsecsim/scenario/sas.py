"""SAs by hand: what `ipsec: sas:` says, with direction, keys and mode worked out."""

from typing import Literal

from ipsecsim.crypto.catalogue import AhSuite, EspSuite, Status
from ipsecsim.ipsec.association import LAST_EXTENDED_SEQUENCE, LAST_SEQUENCE
from ipsecsim.scenario.addresses import address_towards, main_address, missing_version
from ipsecsim.scenario.fields import optional, value, word_of
from ipsecsim.scenario.model_ipsec import KeySpec, ManualSaSpec, Mode
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network
from ipsecsim.scenario.problems import Mistake, Problems
from ipsecsim.scenario.scalars import (
    AH_SUITE,
    BYTES,
    ESP_SUITE,
    HEXADECIMAL,
    KEY,
    SECONDS,
    SPI,
    TFC_PADDING,
    WHOLE,
    WINDOW,
    YES_NO,
)
from ipsecsim.scenario.schema_manual import MANUAL_SA
from ipsecsim.scenario.swanctl.values import address
from ipsecsim.scenario.tree import Map, Text

Suite = EspSuite | AhSuite


class SaReader:
    """Reads the SAs of one node."""

    def __init__(self, node: str, network: Network, names: Names, problems: Problems) -> None:
        self._node = node
        self._network = network
        self._names = names
        self._problems = problems
        self._own = {
            wire.address(node, version) for wire in network.wires_of[node] for version in network.versions
        }

    def sa(self, name: str, entry: Map, mode_of_rule: Mode | Literal[""]) -> ManualSaSpec | None:
        """One SA; None when something is wrong, which is noted."""
        suite = self._suite(name, entry)
        ends = self._ends(entry)
        if suite is None or ends is None:
            return None
        key = self._key(entry, suite[0])
        direction = self._direction(name, entry, *ends)
        if key is None or direction is None:
            return None
        written = entry.text("mode")
        made = ManualSaSpec(
            name,
            direction,
            spi=value(SPI, entry, MANUAL_SA, "spi"),
            source=ends[0],
            destination=ends[1],
            suite=suite[0],
            extended_sequence=suite[1],
            key=key,
            mode=(mode_of_rule or "transport") if written is None else word_of(entry, MANUAL_SA, "mode"),
            encap=value(YES_NO, entry, MANUAL_SA, "encap"),
            replay_window=value(WINDOW, entry, MANUAL_SA, "replay_window"),
            sequence=value(WHOLE, entry, MANUAL_SA, "sequence"),
            dont_fragment=word_of(entry, MANUAL_SA, "dont_fragment"),
            copy_ecn=value(YES_NO, entry, MANUAL_SA, "copy_ecn"),
            copy_dscp=word_of(entry, MANUAL_SA, "copy_dscp"),
            tfc_padding=value(TFC_PADDING, entry, MANUAL_SA, "tfc_padding"),
            life_time=value(SECONDS, entry, MANUAL_SA, "life_time"),
            life_bytes=value(BYTES, entry, MANUAL_SA, "life_bytes"),
            life_packets=value(WHOLE, entry, MANUAL_SA, "life_packets"),
            place=entry.place,
        )
        self._check(made, entry)
        self._warn(made, entry)
        return made

    def _suite(self, name: str, entry: Map) -> tuple[Suite, bool] | None:
        """The algorithms, and whether sequence numbers are extended."""
        esp, ah = optional(ESP_SUITE, entry, "esp_proposals"), optional(AH_SUITE, entry, "ah_proposals")
        if (esp is None) is (ah is None):
            self._problems.add(
                f"SA '{name}' has esp_proposals: or ah_proposals:, one of the two; for both write two SAs",
                entry.place,
            )
            return None
        return esp if ah is None else ah

    # Where it leads

    def _ends(self, entry: Map) -> tuple[bytes, bytes] | None:
        source, destination = entry.text("src"), entry.text("dst")
        assert source is not None and destination is not None  # noqa: S101, PT018  # the schema wants both
        try:
            versions = [found for text in (source, destination) if (found := self._version(text))]
            version = versions[0] if versions else None
            return self._end(source, destination, version), self._end(destination, source, version)
        except Mistake as mistake:
            self._problems.add(mistake.message, mistake.place)
            return None

    def _version(self, text: Text) -> int | None:
        """The IP version of an address, which decides that of a name beside it. Raises Mistake."""
        if self._names.find_nodes(text.value) or "/" in text.value:
            return None
        version = 4 if len(self._literal(text)) == 4 else 6
        if version not in self._network.versions:
            raise self._wrong(missing_version(version), text)
        return version

    def _end(self, text: Text, other: Text, version: int | None) -> bytes:
        """The address of a word: for a node, the one it is known by at the other end. Raises Mistake."""
        members, others = (self._names.find_nodes(each.value) for each in (text, other))
        if len(members) > 1:
            raise self._wrong(f"'{text.value}' is {len(members)} nodes, and an SA has two ends", text)
        if not members:
            if "/" in text.value:
                raise self._wrong(f"'{text.value}' is a network; an SA leads from address to address", text)
            return self._literal(text)
        towards = others[0] if len(others) == 1 else self._node
        if towards == members[0]:
            found = main_address(self._network, members[0], version)
        else:
            found = address_towards(self._network, members[0], towards, version)
        if found is None:
            raise self._wrong(f"no path leads from {members[0]} to {towards}", text)
        return found

    def _literal(self, text: Text) -> bytes:
        """A packed address. Raises Mistake."""
        try:
            return address(text.value)
        except Mistake as mistake:
            raise self._wrong(mistake.message, text) from mistake

    def _wrong(self, message: str, text: Text) -> Mistake:
        mistake = Mistake(message)
        mistake.place = text.place
        return mistake

    def _direction(
        self, name: str, entry: Map, source: bytes, destination: bytes
    ) -> Literal["in", "out"] | None:
        leaves, arrives = source in self._own, destination in self._own
        if leaves is not arrives:
            return "out" if leaves else "in"
        what = "src and dst are both addresses" if leaves else "neither src nor dst is an address"
        self._problems.add(f"SA '{name}': {what} of {self._node}", entry.place)
        return None

    # Keys

    def _key(self, entry: Map, suite: Suite) -> KeySpec | None:
        """A key of the right length, or a name for one."""
        node = entry.get("key")
        wanted = suite.encryption_key_length, suite.integrity_key_length
        if isinstance(node, Text):
            name, literal = KEY.read(node.value)
            if name:
                return KeySpec(name)
            made = KeySpec("", literal[: wanted[0]], literal[wanted[0] :])
        else:
            assert isinstance(node, Map)  # noqa: S101  # the schema wants one or the other
            made = KeySpec(
                "",
                optional(HEXADECIMAL, node, "encryption") or b"",
                optional(HEXADECIMAL, node, "integrity") or b"",
            )
        assert node is not None  # noqa: S101  # it is one of the two
        if (len(made.encryption), len(made.integrity)) == wanted:
            return made
        self._problems.add(
            f"{suite.words} takes {_lengths(suite)}, not {len(made.encryption) + len(made.integrity)} bytes",
            node.place,
        )
        return None

    # What can not be, and what had better not be

    def _check(self, sa: ManualSaSpec, entry: Map) -> None:
        suite = sa.suite
        window = entry.text("replay_window")
        place = entry.place if window is None else window.place
        if sa.extended_sequence and not sa.replay_window:
            self._problems.add(
                "extended sequence numbers need a replay window, since nobody else keeps count of the high "
                "half (RFC 4303 3.3.3); write replay_window: 32",
                place,
            )
        if isinstance(suite, EspSuite) and not suite.is_authenticated and sa.replay_window:
            self._problems.add("anti-replay needs an integrity check (RFC 4303 3.4.3)", place)
        if isinstance(suite, AhSuite) and sa.encap:
            self._problems.add("AH cannot ride in UDP (RFC 3948 1); write encap: no", entry.place)
        last = LAST_EXTENDED_SEQUENCE if sa.extended_sequence else LAST_SEQUENCE
        counter = entry.text("sequence")
        if sa.sequence > last and counter is not None:
            self._problems.add(f"sequence numbers end at {last}", counter.place)
        if len(sa.source) != len(sa.destination):
            self._problems.add(
                f"SA '{sa.name}' leads from one IP version to the other; its ends must be of one", entry.place
            )

    def _warn(self, sa: ManualSaSpec, entry: Map) -> None:
        suite, remark = sa.suite, self._problems.remark
        words = entry.text("ah_proposals" if isinstance(suite, AhSuite) else "esp_proposals")
        place = entry.place if words is None else words.place
        if isinstance(suite, EspSuite) and not suite.is_authenticated:
            remark(f"{suite.words} without integrity: anybody can change what it hides (RFC 8221 4)", place)
        elif suite.status is not Status.CURRENT:
            remark(
                f"{suite.words} is {suite.status.value} (RFC 8221), and used because this file names it",
                place,
            )
        counts = suite.encryption.salt if isinstance(suite, EspSuite) else suite.integrity.iv
        if not sa.key.name and counts:
            key = entry.get("key")
            remark(
                f"the same key in every run, and {suite.words} never bears the same counter twice "
                "(RFC 8221 3); write key: seed:NAME",
                entry.place if key is None else key.place,
            )
        if sa.tfc_padding and sa.mode == "transport":
            padding = entry.text("tfc_padding")
            remark(
                "tfc_padding is for tunnel mode: a packet in transport mode need not say its own length "
                "(RFC 4303 2.7)",
                entry.place if padding is None else padding.place,
            )
        if sa.replay_window:
            window = entry.text("replay_window")
            remark(
                "anti-replay with a key by hand: after a restart the counter begins again, and the peer refuses "
                "(RFC 4303 5)",
                entry.place if window is None else window.place,
            )


def _lengths(suite: Suite) -> str:
    """What key material a suite takes, in words."""
    parts: list[str] = []
    if isinstance(suite, EspSuite) and suite.encryption_key_length:
        salt = suite.encryption.salt
        cipher = suite.encryption_key_length - salt
        parts.append(f"a key of {cipher} bytes" + (f" and a salt of {salt}" if salt else ""))
    if suite.integrity_key_length:
        parts.append(f"an integrity key of {suite.integrity_key_length} bytes")
    return " and ".join(parts)
