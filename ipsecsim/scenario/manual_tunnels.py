"""Tunnels with `keying: manual`: the SAs and SPD rules that each end gets, with seeded keys and SPIs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product

from ipsecsim.base.address import Prefix
from ipsecsim.scenario.name_table import children_of
from ipsecsim.scenario.scalars import YES_NO
from ipsecsim.scenario.schema_manual import OPTIONS
from ipsecsim.scenario.swanctl.values import items
from ipsecsim.scenario.swanctl.values import selectors as traffic_selectors
from ipsecsim.scenario.tree import Map, Node, Text, build, overlay, plain

_FIRST_SPI = 256  # RFC 4303 2.1: the ones below are reserved
_ANYWHERE = Prefix(bytes(4), 0)


@dataclass(frozen=True, slots=True)
class ManualChild:
    """One child of such a tunnel. `base` begins the names of its SAs, which are the same at both ends."""

    name: str
    base: str
    said: Map

    @property
    def proposals(self) -> dict[str, Text]:
        """What it is protected by: 'ah', 'esp', or both, AH then outside (RFC 4301 4.1 has no such bundles)."""
        found = {kind: self.said.text(f"{kind}_proposals") for kind in ("ah", "esp")}
        named = {kind: text for kind, text in found.items() if text is not None}
        return named or {"esp": plain("default", self.said.place)}

    def sa(self, kind: str, direction: str) -> str:
        """The name of an SA: 'net-out', or 'net-ah-out' where there are both."""
        return f"{self.base}-{direction}" if len(self.proposals) == 1 else f"{self.base}-{kind}-{direction}"

    @property
    def sas(self) -> tuple[str, ...]:
        """The names of all its SAs."""
        return tuple(self.sa(kind, direction) for kind in self.proposals for direction in ("out", "in"))

    def mode(self, kind: str) -> str:
        """Tunnel or transport. AH around ESP is between the ends themselves, so it needs no header of its own."""
        if kind == "ah" and len(self.proposals) > 1:
            return "transport"
        written = self.said.text("mode")
        return "tunnel" if written is None else written.value


def manual_children(tunnel: Map, name: str) -> list[ManualChild]:
    """The children of a tunnel, each with what `child:` says for all."""
    made: list[ManualChild] = []
    for child in children_of(tunnel, name):
        said = tunnel.map("child") or Map(tunnel.place)
        several = tunnel.map("children")
        own = None if several is None else several.map(child)
        base = name if child == name else f"{name}-{child}"
        made.append(ManualChild(child, base, said if own is None else overlay(said, own)))
    return made


@dataclass(slots=True)
class Share:
    """What one end of a tunnel gets."""

    sas: Map
    rules: list[Text] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class End:
    """One end: its node, its outer address, and what it protects as `local_ts` has it."""

    node: str
    address: str
    protects: Node


def share(tunnel: Map, child: ManualChild, own: End, peer: End, seed: str) -> Share:
    """One end's SAs and rules for a child."""
    made = Share(Map(tunnel.place))
    for kind, proposal in child.proposals.items():
        for direction, source, destination in (("out", own, peer), ("in", peer, own)):
            sa = _sa(tunnel, child, kind, (source, destination), seed)
            sa.put(f"{kind}_proposals", proposal)
            made.sas.put(child.sa(kind, direction), sa, child.said.place)
    if len(child.proposals) > 1:
        # ESP, once made, meets this rule on its way out, and AH is put around it
        words = f"src={own.address} dst={peer.address} proto=esp"
        made.rules.append(_rule(words, child, "ah"))
    inner = list(child.proposals)[-1]
    for words in selections(own.protects, own.address, peer.protects, peer.address):
        made.rules.append(_rule(words, child, inner))
    return made


def _sa(tunnel: Map, child: ManualChild, kind: str, ends: tuple[End, End], seed: str) -> Map:
    source, destination = ends
    name = child.base if len(child.proposals) == 1 else f"{child.base}-{kind}"
    parts = {
        "spi": _spi(seed, name, source.node, destination.node),
        "src": source.address,
        "dst": destination.address,
        "key": f"seed:{name}-{source.node}-{destination.node}",
        "mode": child.mode(kind),
    }
    made = build(parts, child.said.place)
    assert isinstance(made, Map)  # noqa: S101  # built from a dict
    for key, entry in child.said.entries.items():
        if key in OPTIONS:
            made.put(key, entry.node, entry.key.place)
    copy_df = child.said.text("copy_df")
    if copy_df is not None:
        made.put("dont_fragment", plain("copy" if YES_NO.read(copy_df.value) else "clear", copy_df.place))
    encap = tunnel.text("encap")
    if encap is not None and kind == "esp":
        made.put("encap", encap)
    return made


def _spi(seed: str, *words: str) -> str:
    """An SPI that the seed makes. It is the receiver's to choose, and this stands for its choice."""
    drawn = sha256("\0".join(("ipsecsim spi", seed, *words)).encode()).digest()
    return f"0x{int.from_bytes(drawn[:4], 'big') % ((1 << 32) - _FIRST_SPI) + _FIRST_SPI:08x}"


def _rule(words: str, child: ManualChild, kind: str) -> Text:
    sas = f"{child.sa(kind, 'out')}|{child.sa(kind, 'in')}"
    return plain(f"protect {words} sa={sas}", child.said.place)


def selections(own: Node, own_address: str, peer: Node, peer_address: str) -> Iterator[str]:
    """Traffic selectors of both sides as words of SPD rules: 'src=10.1.0.0/24 dst=10.2.0.0/24'."""
    sides = [_by_ports(own, own_address), _by_ports(peer, peer_address)]
    for (protocol, own_ports), (peer_protocol, peer_ports) in product(*sides):
        if protocol and peer_protocol and protocol != peer_protocol:
            continue
        words = [
            f"src={'|'.join(sides[0][protocol, own_ports])}",
            f"dst={'|'.join(sides[1][peer_protocol, peer_ports])}",
        ]
        if protocol or peer_protocol:
            words.append(f"proto={protocol or peer_protocol}")
        words += [f"{key}={ports}" for key, ports in (("sport", own_ports), ("dport", peer_ports)) if ports]
        yield " ".join(words)


def _by_ports(node: Node, dynamic: str) -> Mapping[tuple[int, str], list[str]]:
    """The address words of a list of selectors, by the protocol and the ports that stand behind them."""
    found: dict[tuple[int, str], list[str]] = {}
    for text in items(node):
        word = text.value.partition("[")[0].strip()
        rest = traffic_selectors(text.value, [_ANYWHERE])[0]
        ports = ""
        if (rest.start_port, rest.end_port) != (0, 65535):
            ports = str(rest.start_port)
            if rest.end_port != rest.start_port:
                ports += f"-{rest.end_port}"
        found.setdefault((rest.protocol, ports), []).append(dynamic if word == "dynamic" else word)
    return found


def ike_in_clear(addresses: Iterable[str]) -> str:
    """The rule that lets a node's own IKE messages through (RFC 4301 5.2)."""
    return f"bypass src={'|'.join(addresses)} proto=udp sport=500|4500"
