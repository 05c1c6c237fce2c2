"""What one node of a complete topology says about IPsec, in swanctl's words where it has any."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ipsecsim.base.address import Prefix
from ipsecsim.base.errors import Place
from ipsecsim.base.instant import Duration
from ipsecsim.crypto.catalogue import AhSuite, EspSuite
from ipsecsim.ike.config import AhProposal, ChildProposal, EspProposal, IkeProposal
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire.numbers import IpProtocol

StartAction = Literal["none", "trap", "start"]
Mode = Literal["tunnel", "transport"]
CopyDscp = Literal["out", "in", "yes", "no"]

NOWHERE = Place("")


@dataclass(frozen=True, slots=True)
class SelectorSpec:
    """One traffic selector: an address range, a protocol (0: any) and a port range (RFC 7296 3.13.1)."""

    start: bytes
    end: bytes
    protocol: int = 0
    start_port: int = 0
    end_port: int = 65535


@dataclass(frozen=True, slots=True)
class AuthRound:
    """How one side proves who it is. `id` is swanctl text ('west.example', '%any').

    `certs` and `pubkeys` name nodes, whose certificates and keys are meant; `cacerts` authorities of the lab.
    """

    auth: str
    id: str
    certs: tuple[str, ...] = ()
    cacerts: tuple[str, ...] = ()
    pubkeys: tuple[str, ...] = ()
    revocation: Literal["strict", "ifuri", "relaxed"] = "relaxed"


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child of a connection. A `life_*`, `rekey_*` or `inactivity` of 0 means never.

    Rekeying begins at random up to `rand_*` earlier than `rekey_*`.
    """

    name: str
    mode: Mode
    local_ts: tuple[SelectorSpec, ...]
    remote_ts: tuple[SelectorSpec, ...]
    esp_proposals: tuple[EspProposal, ...]
    ah_proposals: tuple[AhProposal, ...]
    start_action: StartAction
    close_action: StartAction
    dpd_action: Literal["clear", "trap", "restart"]
    rekey_time: Duration
    life_time: Duration
    rand_time: Duration
    rekey_bytes: int
    life_bytes: int
    rand_bytes: int
    rekey_packets: int
    life_packets: int
    rand_packets: int
    inactivity: Duration
    replay_window: int
    copy_df: bool
    copy_ecn: bool
    copy_dscp: CopyDscp
    tfc_padding: int
    sha256_96: bool
    policies: bool
    place: Place = field(default=NOWHERE, compare=False, repr=False)

    @property
    def proposals(self) -> tuple[ChildProposal, ...]:
        """What may be chosen, ESP before AH."""
        return (*self.esp_proposals, *self.ah_proposals)


@dataclass(frozen=True, slots=True)
class ConnectionSpec:
    """One IKE connection. No `local_addrs` means any of the node's; no `remote_addrs` any peer, waited for.

    `vips` are the virtual addresses to ask for, `pools` names of those to lend from.

    A `dpd_delay`, `rekey_time` or `reauth_time` of 0 means never. A `fragment_size` of 0 is that of the IP version.
    """

    name: str
    version: int
    local_addrs: tuple[bytes, ...]
    remote_addrs: tuple[bytes, ...]
    local_port: int
    remote_port: int
    proposals: tuple[IkeProposal, ...]
    encap: bool
    mobike: bool
    fragmentation: Literal["yes", "accept", "force", "no"]
    fragment_size: int
    dpd_delay: Duration
    dpd_timeout: Duration
    keyingtries: int
    unique: Literal["never", "no", "keep", "replace"]
    childless: Literal["allow", "prefer", "force", "never"]
    reauth_time: Duration
    rekey_time: Duration
    over_time: Duration
    rand_time: Duration
    send_cert: Literal["always", "never", "ifasked"]
    send_certreq: bool
    local: AuthRound
    remote: AuthRound
    children: Mapping[str, ChildSpec]
    vips: tuple[bytes, ...] = ()
    pools: tuple[str, ...] = ()
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Virtual addresses to lend, from the first to the last one, and what is told along with each."""

    name: str
    first: bytes
    last: bytes
    dns: tuple[bytes, ...] = ()
    nbns: tuple[bytes, ...] = ()
    dhcp: tuple[bytes, ...] = ()
    netmask: bytes | None = None
    subnet: tuple[Prefix, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretSpec:
    """A pre-shared key and whom it is for; no `ids` means anybody. `kind` is the name before the suffix."""

    name: str
    kind: str
    ids: tuple[str, ...]
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeySpec:
    """The key of an SA by hand: a `name` stands for one that each run makes afresh, else the bytes are here.

    `encryption` ends in the salt of a cipher that has one.
    """

    name: str = ""
    encryption: bytes = field(default=b"", repr=False)
    integrity: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ManualSaSpec:
    """One SA by hand. `source` and `destination` are the outer addresses, one of them this node's.

    `sequence` is the number of the last packet before the run. A `life_*` of 0 means for ever.
    """

    name: str
    direction: Literal["in", "out"]
    spi: int
    source: bytes
    destination: bytes
    suite: EspSuite | AhSuite
    extended_sequence: bool
    key: KeySpec
    mode: Mode
    encap: bool
    replay_window: int
    sequence: int
    dont_fragment: Literal["copy", "set", "clear"]
    copy_ecn: bool
    copy_dscp: CopyDscp
    tfc_padding: int
    life_time: Duration
    life_bytes: int
    life_packets: int
    place: Place = field(default=NOWHERE, compare=False, repr=False)

    @property
    def protocol(self) -> IpProtocol:
        """ESP or AH, by the kind of suite."""
        return IpProtocol.AH if isinstance(self.suite, AhSuite) else IpProtocol.ESP


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule of an SPD by hand. `selectors` are as the node sees them: local is its own side.

    With a `direction` it speaks only of packets that leave, or only of those that arrive.

    What protects is either `sas`, by name, or the child of an IKE connection, (connection, child). `policy` is
    what the rule is called in a run. `mode` is '' where the rule says none.
    """

    action: Literal["protect", "bypass", "discard"]
    selectors: tuple[Selector, ...]
    policy: str
    sas: tuple[str, ...]
    child: tuple[str, str] | None
    mode: Mode | Literal[""]
    direction: Literal["in", "out", ""]
    text: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class IpsecSpec:
    """All that one node knows about IPsec. `rules` is None where the node writes no SPD of its own.

    `keepalive` is the interval of NAT keepalives, 0 for none.
    """

    connections: Mapping[str, ConnectionSpec]
    secrets: Mapping[str, SecretSpec]
    keepalive: Duration
    sas: Mapping[str, ManualSaSpec] = field(default_factory=dict)
    rules: tuple[RuleSpec, ...] | None = None
    pools: Mapping[str, PoolSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ManualChildSpec:
    """One child of a tunnel with keys by hand. `sas` are the names of its SAs, the same at both ends.

    `esp` and `ah` are proposal words, '' for none.
    """

    name: str
    mode: Mode
    esp: str
    ah: str
    sas: tuple[str, ...]
