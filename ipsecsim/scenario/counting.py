"""`defaults:`, `groups:` and `count:` worked out: what is left are single nodes, links and tunnels.

A counted name in a link or tunnel pairs equal counts, fans out against 1, and twice in one tunnel means
every pair.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario.problems import Problems, did_you_mean
from ipsecsim.scenario.schema import NODE
from ipsecsim.scenario.tree import Map, Seq, Text, copy_map, overlay, plain

MOST = 50_000
"""Single nodes, links or tunnels that counts may add up to."""

MOST_ENDS = 254
"""Ends of one link."""

_TAKEN = ("any", "dynamic")
"""Words that stand where a node's name could, and mean something else."""

_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TUNNEL_KINDS = ("gateway", "host", "laptop")


@dataclass(frozen=True, slots=True)
class Counted:
    """The tree with single things only, and what a counted or group name stands for."""

    root: Map
    families: dict[str, tuple[str, ...]]
    groups: dict[str, tuple[str, ...]]


def count(root: Map, problems: Problems) -> Counted:
    """Work out defaults, groups and counts. Notes ends that lead nowhere and counts that do not fit."""
    worker = _Worker(root, problems)
    nodes = worker.nodes()
    links = worker.links()
    tunnels = worker.tunnels()
    made = Map(root.place)
    for key, entry in root.entries.items():
        if key in ("defaults", "groups"):
            continue
        made.entries[key] = entry
    for key, node in (("nodes", nodes), ("links", links), ("tunnels", tunnels)):
        if node.entries or key in root.entries:
            made.put(key, node, root.place)
    return Counted(made, worker.families, worker.groups)


class _Worker:
    def __init__(self, root: Map, problems: Problems) -> None:
        self.root = root
        self.problems = problems
        self.families: dict[str, tuple[str, ...]] = {}
        self.groups: dict[str, tuple[str, ...]] = {}
        self.made_nodes = Map(root.place)
        self.defaults = root.map("defaults") or Map(root.place)

    # -- nodes

    def nodes(self) -> Map:
        """One entry for each single node, in order."""
        written = self.root.map("nodes") or Map(self.root.place)
        for name, node in written.maps():
            number = node.text("count")
            if number is not None:
                self.families[name] = tuple(f"{name}{i}" for i in range(1, int(number.value) + 1))
        memberships = self._memberships(written)
        under = self.defaults.map("node") or Map(self.root.place)
        for name, node in written.maps():
            key = written.entries[name].key
            if name in _TAKEN:
                self.problems.add(f"'{name}' stands for something else; take another name", key.place)
            self._room(self.made_nodes, len(self.families.get(name, ())), key.place)
            own = Map(node.place, {k: e for k, e in node.entries.items() if k not in ("count", "group")})
            for single in self.families.get(name, (name,)):
                if single in self.made_nodes.entries:
                    self.problems.add(
                        f"'{single}' is one of a counted node and also a node of its own", key.place
                    )
                    continue
                made = under
                for group in memberships.get(single, []):
                    made = overlay(made, group)
                made = overlay(made, own)
                made.place = node.place
                self.made_nodes.put(single, made, key.place)
        return self.made_nodes

    def _memberships(self, written: Map) -> dict[str, list[Map]]:
        """For each single node the groups it is in, in the file's order."""
        memberships: dict[str, list[Map]] = {}
        singles = list(self._singles(written))
        groups = self.root.map("groups") or Map(self.root.place)
        for _, node in written.maps():
            chosen = node.text("group")
            if chosen is not None and chosen.value not in groups.entries:
                hint = did_you_mean(chosen.value, groups.entries)
                self.problems.add(f"there is no group '{chosen.value}'{hint}", chosen.place)
        for name, group in groups.maps():
            if name in written.entries:
                self.problems.add(f"'{name}' is a node and a group", groups.entries[name].key.place)
            members: list[str] = []
            listed = group.get("nodes")
            for text in listed.items if isinstance(listed, Seq) else []:
                if not isinstance(text, Text):
                    continue
                if text.value not in singles and text.value not in self.families:
                    hint = did_you_mean(text.value, [*written.entries, *singles])
                    message = f"group '{name}' names '{text.value}', which is not under nodes{hint}"
                    self.problems.add(message, text.place)
                members += self.families.get(text.value, (text.value,))
            for other, node in written.maps():
                chosen = node.text("group")
                if chosen is not None and chosen.value == name:
                    members += self.families.get(other, (other,))
            self.groups[name] = tuple(dict.fromkeys(members))
            self.families.setdefault(name, self.groups[name])
            settings = Map(group.place, {k: e for k, e in group.entries.items() if k != "nodes"})
            for member in dict.fromkeys(members):
                memberships.setdefault(member, []).append(settings)
        return memberships

    def _singles(self, written: Map) -> Iterator[str]:
        for name in written.entries:
            yield from self.families.get(name, (name,))

    def _room(self, made: Map, more: int, place: Place) -> None:
        if len(made.entries) + more > MOST:
            raise ConfigError(f"these counts add up to more than {MOST}", place)

    # -- ends

    def _members(self, text: Text, what: str) -> tuple[str, ...] | None:
        """The single nodes that one end of a link or tunnel means; None after noting that there are none."""
        name = text.value.partition(":")[0]
        if name in self.made_nodes.entries:
            return (name,)
        family = self.families.get(name)
        if family is None:
            hint = did_you_mean(name, [*self.made_nodes.entries, *self.families])
            self.problems.add(f"{what} ends at '{name}', which is not under nodes{hint}", text.place)
        return family

    def _ends(self, listed: object, what: str) -> list[tuple[Text, tuple[str, ...]]] | None:
        ends: list[tuple[Text, tuple[str, ...]]] = []
        for text in listed.items if isinstance(listed, Seq) else []:
            if isinstance(text, Text):
                members = self._members(text, what)
                if members is None:
                    return None
                ends.append((text, members))
        return ends

    def _is_family(self, text: Text) -> bool:
        name = text.value.partition(":")[0]
        return name not in self.made_nodes.entries and name in self.families

    def _copies(self, ends: list[tuple[Text, tuple[str, ...]]], what: str, listed: Seq) -> int | None:
        """How many copies the counts of the ends ask for; 0 when no end is counted."""
        sizes = sorted({len(members) for text, members in ends if self._is_family(text)})
        several = [size for size in sizes if size != 1]
        if len(several) > 1:
            numbers = " and ".join(str(size) for size in several)
            self.problems.add(f"{what} joins groups of {numbers}; counts must be equal, or 1", listed.place)
            return None
        return several[0] if several else len(sizes)

    # -- links

    def links(self) -> Map:
        """One entry for each single link."""
        made = Map(self.root.place)
        written = self.root.map("links") or Map(self.root.place)
        for name, node in written.maps():
            listed = node.get("endpoints")
            what = f"link '{name}'"
            ends = self._ends(listed, what)
            if ends is None or not isinstance(listed, Seq):
                continue
            if len(ends) < 2:
                how_many = "one end" if ends else "no ends"
                message = f"{what} has {how_many}; a link joins two nodes or more"
                self.problems.add(message, listed.place)
                continue
            if len(ends) > MOST_ENDS:
                message = f"{what} has {len(ends)} ends; at most {MOST_ENDS} fit, as in a /24"
                self.problems.add(message, listed.place)
                continue
            copies = self._copies(ends, what, listed)
            if copies is None:
                continue
            if copies and node.get("addrs") is not None:
                message = f"{what} is counted, so its addresses can't be pinned one by one; pin net:"
                self.problems.add(message, node.entries["addrs"].key.place)
            whole = overlay(self.defaults.map("link") or Map(self.root.place), node)
            self._room(made, copies, listed.place)
            for index in range(max(copies, 1)):
                single = copy_map(whole)
                single.place = node.place
                single.put("endpoints", self._endpoints(ends, index, listed, what), listed.place)
                self._count_net(single, index)
                made.put(f"{name}{index + 1}" if copies else name, single, written.entries[name].key.place)
        return made

    def _endpoints(self, ends: list[tuple[Text, tuple[str, ...]]], index: int, listed: Seq, what: str) -> Seq:
        """The ends of one copy of a link, each as node or node:interface."""
        single: list[Text] = []
        seen: set[str] = set()
        for text, members in ends:
            node = members[index] if len(members) > 1 else members[0]
            interface = text.value.partition(":")[2]
            if node in seen:
                self.problems.add(f"{what} joins '{node}' to itself", text.place)
            seen.add(node)
            if ":" in text.value and not _INTERFACE.fullmatch(interface):
                message = f"'{interface}' is no name of an interface; write for example  {node}:eth0"
                self.problems.add(message, text.at(text.value.index(":") + 1))
            elif interface:
                self._check_interface(node, interface, text)
            single.append(Text(f"{node}:{interface}" if interface else node, text.place, text.marks))
        return Seq(listed.place, list(single), listed.flow)

    def _check_interface(self, node: str, interface: str, text: Text) -> None:
        found = self.made_nodes.map(node)
        known = None if found is None else found.map("interfaces")
        if known is not None and interface not in known.entries:
            names = ", ".join(sorted(known.entries))
            place = text.at(text.value.index(":") + 1)
            self.problems.add(f"{node} has no interface '{interface}'; known: {names}", place)

    def _count_net(self, link: Map, index: int) -> None:
        """The nets of the index-th copy: a counted link's net counts upward."""
        net = link.get("net")
        if net is None or index == 0:
            return
        texts = net.items if isinstance(net, Seq) else [net]
        moved = [self._moved(text, index) for text in texts if isinstance(text, Text)]
        link.put("net", Seq(net.place, list(moved)) if isinstance(net, Seq) else moved[0], net.place)

    def _moved(self, net: Text, index: int) -> Text:
        """The index-th network after this one."""
        first = ipaddress.ip_network(net.value)
        start = int(first.network_address) + index * first.num_addresses
        try:
            moved = type(first)((start, first.prefixlen))
        except ValueError:
            self.problems.add(f"'{net.value}' leaves no room to count so far upward", net.place)
            return net
        return plain(str(moved), net.place)

    # -- tunnels

    def tunnels(self) -> Map:
        """One entry for each single tunnel."""
        made = Map(self.root.place)
        written = self.root.map("tunnels") or Map(self.root.place)
        for name, node in written.maps():
            listed = node.get("ends")
            what = f"tunnel '{name}'"
            ends = self._ends(listed, what)
            if ends is None or not isinstance(listed, Seq):
                continue
            if len(ends) != 2:
                many = {0: "no ends", 1: "one end"}.get(len(ends), f"{len(ends)} ends")
                self.problems.add(f"{what} has {many}; a tunnel has two", listed.place)
                continue
            self._check_tunnel_kinds(ends, what)
            whole = overlay(self.defaults.map("tunnel") or Map(self.root.place), node)
            for label, pair in self._pairs(ends, what, listed):
                self._room(made, 1, listed.place)
                single = copy_map(whole)
                single.place = node.place
                texts = [
                    Text(member, text.place, text.marks) for member, (text, _) in zip(pair, ends, strict=True)
                ]
                single.put("ends", Seq(listed.place, list(texts), listed.flow), listed.place)
                made.put(f"{name}{label}", single, written.entries[name].key.place)
        return made

    def _check_tunnel_kinds(self, ends: list[tuple[Text, tuple[str, ...]]], what: str) -> None:
        for text, members in ends:
            node = self.made_nodes.map(members[0]) if members else None
            kind = node.text("kind") if node is not None else None
            word = kind.value if kind is not None else NODE.fields["kind"].default or ""
            if word not in _TUNNEL_KINDS:
                message = f"{what} ends at '{text.value}', a {word}; tunnels end at a gateway, host or laptop"
                self.problems.add(message, text.place)

    def _pairs(
        self, ends: list[tuple[Text, tuple[str, ...]]], what: str, listed: Seq
    ) -> Iterator[tuple[str, tuple[str, str]]]:
        """A label for the name, and the two nodes, of each single tunnel."""
        (first, firsts), (second, seconds) = ends
        if first.value == second.value:
            if not self._is_family(first):
                self.problems.add(f"{what} leads from '{first.value}' to itself", second.place)
                return
            for (i, one), (j, other) in combinations(enumerate(firsts, 1), 2):
                yield f"{i}-{j}", (one, other)
            return
        copies = self._copies(ends, what, listed)
        if copies is None:
            return
        for index in range(max(copies, 1)):
            one = firsts[index] if len(firsts) > 1 else firsts[0]
            other = seconds[index] if len(seconds) > 1 else seconds[0]
            yield str(index + 1) if copies else "", (one, other)
