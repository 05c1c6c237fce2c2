"""What a topology file says once everything left out is filled in: typed, named, and free of YAML.

Addresses are packed bytes, times whole nanoseconds, rates bit/s, sizes bytes. Two files that mean
the same give equal models: places, warnings and the file's name take no part in the comparison.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ipsecsim.base.address import Prefix
from ipsecsim.base.errors import Place
from ipsecsim.base.instant import CALENDAR_START, Duration, Instant
from ipsecsim.net.link import LinkOptions
from ipsecsim.scenario.model_ipsec import NOWHERE, IpsecSpec, ManualChildSpec
from ipsecsim.scenario.model_script import ScriptAction
from ipsecsim.stack.firewall import Ruleset
from ipsecsim.stack.nat.behaviour import Behaviour

if TYPE_CHECKING:
    from ipsecsim.scenario.routes import Routes

Comparison = Literal["equal", "not equal", "at least", "at most", "more than", "less than", "about"]


@dataclass(frozen=True, slots=True)
class Remark:
    """A warning: the file can be read, but something in it looks like a slip."""

    message: str
    place: Place

    def __str__(self) -> str:
        text = f"warning: {self.place}: {self.message}"
        if self.place.source:
            text += f"\n  {self.place.source}\n  {' ' * max(0, self.place.column - 1)}^"
        return text


# Nodes and links


@dataclass(frozen=True, slots=True)
class InterfaceSpec:
    """One end of a link. Named by the file, else after its link.

    `addresses` holds one of each IP version, with the network's prefix length; the first one is meant where
    nobody says which. `protected` is RFC 4301's word: True on the side of a gateway whose networks stand
    behind it.
    """

    name: str
    link: str
    addresses: tuple[tuple[bytes, int], ...]
    protected: bool
    up: bool = True


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """Where a prefix lies: `via` a neighbour's address, or None when it is on the link itself."""

    prefix: Prefix
    via: bytes | None
    interface: str


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A cable of two ends or a LAN of more. `endpoints` are (node, interface), in the file's order.

    `nets` has a network of each IP version. `from_nodes` has the nodes whose packets fare otherwise.
    """

    name: str
    endpoints: tuple[tuple[str, str], ...]
    nets: tuple[Prefix, ...]
    options: LinkOptions
    from_nodes: Mapping[str, LinkOptions]
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NatSpec:
    """How a node translates addresses. `outside` is its interface there, `pool` its addresses if not that one's.

    `preset`, `link`, `forward` and `exempt` are what the file says, or would say.
    """

    behaviour: Behaviour
    outside: str
    pool: tuple[bytes, ...]
    preset: str
    link: str
    forward: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node. `ipsec` is None where the node has no IPsec at all; `cert` says what its certificate is like.

    `taps` are the links that an attacker taps. `clock` is what its clock shows at the start, in seconds since 1970;
    `device` what its work costs, 'ideal' for nothing.
    """

    name: str
    kind: str
    interfaces: tuple[InterfaceSpec, ...]
    routes: "Routes"
    ipsec: IpsecSpec | None
    cert: str = "good"
    nat: NatSpec | None = None
    firewall: Ruleset | None = None
    taps: tuple[str, ...] = ()
    clock: int = CALENDAR_START
    device: str = "ideal"
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TunnelEnd:
    """Where one end of a tunnel is set up: this connection of this node."""

    node: str
    connection: str


@dataclass(frozen=True, slots=True)
class TunnelSpec:
    """What a person calls a tunnel: two ends and the children they share. The first end starts it.

    `written` is False for a child set up by hand at its node, which is a tunnel all the same. A tunnel has
    `children` that IKE makes, or those in `by_hand`, and then its ends have no connections.
    """

    name: str
    ends: tuple[TunnelEnd, ...]
    children: tuple[str, ...]
    written: bool = True
    by_hand: tuple[ManualChildSpec, ...] = ()
    place: Place = field(default=NOWHERE, compare=False, repr=False)


# What should come of it


@dataclass(frozen=True, slots=True)
class Condition:
    """One `key=value` of a selection: any of `values`.

    Group and counted names are worked out; a value 'a-b' of a numeric key is a range.
    """

    key: str
    operator: Literal["=", "!=", "<", "<=", ">", ">="]
    values: tuple[str, ...]


SubjectKind = Literal[
    "traffic", "tunnel", "packets", "drops", "leaks", "notify", "why", "sas", "mapping", "node"
]
"""What can be asked about."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a claim is about: `kind` is the first word, or 'traffic' for a verb or a name= of the script.

    `names` are the things meant: tunnels or nodes, worked out; for traffic the word, or word FROM TO as
    written, and then `where` holds the nodes as conditions `from` and `to`. Empty means all of the kind.
    For `why` the kind asked about is the first of `names`.
    """

    kind: SubjectKind
    names: tuple[str, ...]
    where: tuple[Condition, ...]
    text: str


@dataclass(frozen=True, slots=True)
class StateClaim:
    """'up', 'down' or 'none'; with a count, that many of them."""

    state: Literal["up", "down", "none"]
    count: int | None


@dataclass(frozen=True, slots=True)
class ReasonClaim:
    """A drop reason, notify name or diagnosis; with a count, that many times exactly."""

    reason: str
    count: int | None


@dataclass(frozen=True, slots=True)
class MeasureClaim:
    """A number compared. `measure` '' is the plain count. `unit`: '' plain, 'ns', 'B', 'bit/s' or '%'."""

    measure: str
    comparison: Comparison
    value: int | float
    unit: Literal["", "ns", "B", "bit/s", "%"]


Claim = StateClaim | ReasonClaim | MeasureClaim


@dataclass(frozen=True, slots=True)
class Expectation:
    """SUBJECT: CLAIM. `where` limits it to cells of the matrix."""

    subject: Subject
    claim: Claim
    claim_text: str
    where: tuple[Condition, ...] = ()
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ScriptEntry:
    """One line of the script. Exactly one of `at`, `plus` and `when` is set.

    `at` is absolute, `plus` counts from the entry before, `when` is the first moment all of it holds.
    `expect` must come true at that time, or within `within` after it.
    """

    at: Instant | None
    plus: Duration | None
    when: tuple[Expectation, ...]
    do: tuple[ScriptAction, ...]
    expect: tuple[Expectation, ...]
    within: Duration | None
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole file, understood. Mappings keep the file's order.

    A file with a `matrix` is read as one cell of it: that of its parameters and of the settings from
    outside. `expect` holds the claims that speak of this cell. `pki` is the kind of the lab's keys.
    """

    name: str
    story: str
    look_for: tuple[str, ...]
    seed: str
    until: Duration | None
    ip: Literal["4", "6", "both"]
    nodes: Mapping[str, NodeSpec]
    links: Mapping[str, LinkSpec]
    tunnels: Mapping[str, TunnelSpec]
    script: tuple[ScriptEntry, ...]
    expect: tuple[Expectation, ...]
    pki: str = "ecdsa256"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict, compare=False)
    file: str = field(default="", compare=False)
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    warnings: tuple[Remark, ...] = field(default=(), compare=False)
