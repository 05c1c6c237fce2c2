"""One conversation with a Linux kernel: which SA it is about, and what is tried on it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.crypto.catalogue import WORDS, AhSuite, EspSuite
from ipsecsim.crypto.rows import Encryption, Integrity
from ipsecsim.ipsec.association import Mode
from ipsecsim.wire.numbers import IpProtocol

if TYPE_CHECKING:
    from tests.interop.kernel.lab import Lab

OUR_SPI, ITS_SPI, NO_SPI = 0xA001, 0xB001, 0xC001  # of what we send, of what it sends, of nobody
_FAMILIES = {(4, 4): "IPv4", (6, 6): "IPv6", (6, 4): "4in6", (4, 6): "6in4"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """`outer` and `inner` are IP versions. `sequence` is how many packets both sides have sent before."""

    play: Callable[["Lab"], None]
    about: str = ""  # what is special, for the table
    suite: str
    protocol: IpProtocol = IpProtocol.ESP
    mode: Mode = Mode.TUNNEL
    outer: int = 4
    inner: int = 4
    esn: bool = False
    sequence: int = 0
    in_udp: bool = False
    rfc_alignment: bool = False  # IPv4 AH in words of 4 bytes, which Linux does only when told (RFC 4302 2.6)
    site_mtu: int = 1500  # of the links behind both gateways
    fragment_first: bool = True  # does ours cut a packet before the protection that makes it too long?

    @property
    def key(self) -> str:
        """By which it is asked for, and its name in the table."""
        words = [
            self.protocol.name,
            self.mode.value,
            _FAMILIES[self.outer, self.inner],
            self.suite,
            *(["ESN"] if self.esn else []),
            *(["in UDP"] if self.in_udp else []),
            *(["align4"] if self.rfc_alignment else []),
        ]
        return " ".join(words) + (f", {self.about}" if self.about else "")

    @cached_property
    def algorithms(self) -> EspSuite | AhSuite:
        """The rows behind the words of `suite`."""
        rows = [WORDS[word] for word in self.suite.split("-")]
        integrity = next((meaning.row for meaning in rows if isinstance(meaning.row, Integrity)), None)
        for meaning in rows:
            if isinstance(meaning.row, Encryption):
                return EspSuite(meaning.row, meaning.key_bits or 0, integrity)
        assert integrity is not None
        return AhSuite(integrity)

    def keys(self, spi: int) -> tuple[bytes, bytes]:
        """Encryption key (with salt) and integrity key of one direction: any will do, if both sides have them."""
        entropy = SeededEntropy(f"{self.key} {spi}")
        suite = self.algorithms
        return entropy.bytes(suite.encryption_key_length), entropy.bytes(suite.integrity_key_length)


@dataclass(frozen=True, kw_only=True)
class IkeCase(Case):
    """The same where both sides get their keys from IKE, with a charon in the guest. `role` is what we are."""

    role: str

    @property
    def key(self) -> str:
        """By which it is asked for, and its name in the table."""
        return f"by IKE, {self.role}: {super().key}"

    @property
    def proposal(self) -> str:
        """What both sides offer for the child."""
        return f"{self.suite}-esn" if self.esn else self.suite
