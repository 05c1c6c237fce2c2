"""What words in sentences can point at: nodes, links, tunnels, axes, and traffic that was given a name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ipsecsim.base.address import pack
from ipsecsim.base.errors import Place
from ipsecsim.scenario.model import Topology
from ipsecsim.scenario.model_script import Traffic
from ipsecsim.scenario.problems import Mistake, did_you_mean
from ipsecsim.scenario.sentence import Word
from ipsecsim.scenario.tree import Map, Seq, Text

_NUMBERED = re.compile(r"(.*?[^0-9-])[0-9]+(-[0-9]+)?")


@dataclass(frozen=True, slots=True)
class TunnelName:
    """A tunnel, or a child set up by hand: who starts it, by which connection and children.

    `is_keyed` tells that its keys are there from the start, so that nobody starts it.
    """

    name: str
    node: str
    connection: str
    children: tuple[str, ...]
    is_keyed: bool = False


class Paths(Protocol):
    """What a path of `set` may be, in the file that is read."""

    def read(self, path: Word, value: Word) -> object:
        """The value, as the field reads it to which the path leads. Raises Mistake, with an offset."""
        ...


@dataclass(slots=True)
class Names:
    """All names of one topology, counts worked out."""

    nodes: Mapping[str, Map]
    links: Mapping[str, Map]
    tunnels: Mapping[str, TunnelName]
    families: Mapping[str, tuple[str, ...]]
    axes: Mapping[str, tuple[str, ...]]
    traffic: set[str] = field(default_factory=set)
    paths: Paths | None = None
    _bases: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def node(self, word: Word) -> str:
        """The one node meant. Raises Mistake."""
        members = self.members(word)
        if len(members) != 1:
            raise Mistake(f"'{word.text}' is {len(members)} nodes, and one is wanted here", word.offset)
        return members[0]

    def members(self, word: Word) -> tuple[str, ...]:
        """The nodes meant by a node's name, a group's or a counted one. Raises Mistake."""
        found = self.find_nodes(word.text)
        if not found:
            if _is_address(word.text):
                raise Mistake(f"'{word.text}' is an address; write the node's name", word.offset)
            hint = did_you_mean(word.text, [*self.nodes, *self.families])
            raise Mistake(f"no node '{word.text}'{hint}", word.offset)
        return found

    def find_nodes(self, name: str) -> tuple[str, ...]:
        """The nodes of a name, or none."""
        if name in self.nodes:
            return (name,)
        return self.families.get(name) or self._numbered("nodes", self.nodes).get(name, ())

    def _numbered(self, section: str, known: Iterable[str]) -> dict[str, tuple[str, ...]]:
        if section not in self._bases:
            self._bases[section] = by_base(known)
        return self._bases[section]

    def find_links(self, name: str) -> tuple[str, ...]:
        """The links of a name, or none."""
        return (name,) if name in self.links else self._numbered("links", self.links).get(name, ())

    def link(self, word: Word) -> None:
        """Raise Mistake when there is no such link."""
        if not self.find_links(word.text):
            raise Mistake(f"no link '{word.text}'{did_you_mean(word.text, self.links)}", word.offset)

    def find_tunnels(self, word: Word) -> tuple[str, ...]:
        """The tunnels of a name, or the children where no tunnel is called so. Raises Mistake."""
        if word.text in self.tunnels:
            return (word.text,)
        found = self._numbered("tunnels", self.tunnels).get(word.text, ())
        if not found:
            hint = did_you_mean(word.text, self.tunnels)
            raise Mistake(f"no tunnel '{word.text}'{hint}", word.offset)
        return found


def by_base(known: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names that end in a number, by what stands before it: 'pc1' and 'pc2' by 'pc', 'net1-2' by 'net'."""
    found: dict[str, list[str]] = {}
    for name in known:
        match = _NUMBERED.fullmatch(name)
        if match is not None:
            found.setdefault(match[1], []).append(name)
    return {base: tuple(names) for base, names in found.items()}


def collect(root: Map, families: Mapping[str, tuple[str, ...]]) -> Names:
    """The names of a tree whose counts are worked out."""
    nodes = dict((root.map("nodes") or Map(root.place)).maps())
    links = dict((root.map("links") or Map(root.place)).maps())
    axes: dict[str, tuple[str, ...]] = {}
    for name, axis in (root.map("matrix") or Map(root.place)).items():
        values = axis.items if isinstance(axis, Seq) else []
        axes[name] = tuple(text.value for text in values if isinstance(text, Text))
    return Names(nodes, links, _tunnels(root, nodes), families, axes)


def names_of(topology: Topology) -> Names:
    """The names in a topology that was read, for whoever asks about its run."""
    nothing = Map(Place(topology.file))
    nodes, links = (dict.fromkeys(names, nothing) for names in (topology.nodes, topology.links))
    tunnels = {
        each.name: TunnelName(
            each.name, each.ends[0].node, each.ends[0].connection, each.children, is_keyed=bool(each.by_hand)
        )
        for each in topology.tunnels.values()
    }
    traffic = {action.name for entry in topology.script for action in entry.do if isinstance(action, Traffic)}
    return Names(nodes, links, tunnels, topology.groups, {}, traffic)


def _tunnels(root: Map, nodes: Mapping[str, Map]) -> dict[str, TunnelName]:
    found: dict[str, TunnelName] = {}
    by_hand: list[tuple[str, str, str]] = []
    for name, tunnel in (root.map("tunnels") or Map(root.place)).maps():
        ends = tunnel.get("ends")
        if isinstance(ends, Seq) and ends.items and isinstance(ends.items[0], Text):
            first = ends.items[0].value
            if is_manual(tunnel):
                found[name] = TunnelName(name, first, "", (), is_keyed=True)
                continue
            found[name] = TunnelName(name, first, name, children_of(tunnel, name))
            by_hand += [(child, first, name) for child in children_of(tunnel, name)]
    for node, settings in nodes.items():
        ipsec = settings.map("ipsec")
        connections = None if ipsec is None else ipsec.map("connections")
        for name, connection in [] if connections is None else connections.maps():
            if name in found:  # what a node says about a tunnel's own connection
                continue
            by_hand += [(child, node, name) for child in children_of(connection, "")]
    for child, node, connection_name in by_hand:
        found.setdefault(child, TunnelName(child, node, connection_name, (child,)))
    return found


def is_manual(tunnel: Map) -> bool:
    """Are the keys of this tunnel made by hand?"""
    keying = tunnel.text("keying")
    return keying is not None and keying.value == "manual"


def children_of(holder: Map, default: str) -> tuple[str, ...]:
    """The names of a tunnel's or connection's children."""
    children = holder.map("children")
    if children is not None and children.entries:
        return tuple(children.entries)
    return (default,) if default else ()


def _is_address(text: str) -> bool:
    try:
        pack(text)
    except ValueError:
        return False
    return True
