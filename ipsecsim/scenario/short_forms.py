"""Short ways of writing, made long before anybody looks: `wan: [west, east]` becomes {endpoints: [...]}."""

from ipsecsim.scenario.tree import Entry, Map, Node, Seq, Text


def lengthen(root: Map) -> None:
    """Make every short form under the root long, in place. Anything else is left for the schema to judge."""
    _members(root.map("links"), Seq, "endpoints")
    _members(root.map("tunnels"), Seq, "ends")
    defaults = root.map("defaults")
    holders = [node for name in ("nodes", "groups") for _, node in _maps(root.map(name))]
    if defaults is not None and (node_defaults := defaults.map("node")) is not None:
        holders.append(node_defaults)
    for holder in holders:
        for key in ("nat", "firewall"):
            _member(holder, key, Text, "preset")
    _listed(root, "expect")
    _listed(root, "look_for")
    script = root.get("script")
    if isinstance(script, Seq):
        for step in script.items:
            if isinstance(step, Map):
                _listed(step, "do")


def lengthened(path: str, node: Node) -> Node:
    """A value set by path, as the tree would hold it."""
    first, _, rest = path.partition(".")
    last = path.rpartition(".")[2]
    key = {"links": "endpoints", "tunnels": "ends"}.get(first) if "." not in rest else None
    if key is not None and isinstance(node, Seq):
        return Map(node.place, {key: Entry(Text(key, node.place, ()), node)})
    if last in ("nat", "firewall") and isinstance(node, Text):
        return Map(node.place, {"preset": Entry(Text("preset", node.place, ()), node)})
    if path in ("expect", "look_for") and not isinstance(node, Seq):
        return Seq(node.place, [node])
    return node


def _maps(holder: Map | None) -> list[tuple[str, Map]]:
    return [] if holder is None else list(holder.maps())


def _members(holder: Map | None, shape: type[Node], key: str) -> None:
    for name in [] if holder is None else list(holder.entries):
        if holder is not None:
            _member(holder, name, shape, key)


def _member(holder: Map, name: str, shape: type[Node], key: str) -> None:
    node = holder.get(name)
    if isinstance(node, Text) and not node.value:
        return
    if isinstance(node, shape):
        holder.entries[name].node = Map(node.place, {key: Entry(Text(key, node.place, ()), node)})


def _listed(holder: Map, key: str) -> None:
    node = holder.get(key)
    if node is not None and not isinstance(node, Seq):
        holder.entries[key].node = Seq(node.place, [node])
