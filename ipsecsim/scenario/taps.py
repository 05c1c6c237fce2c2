"""Who taps which links, and what somebody who does can not be besides."""

from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.tree import Map, one_or_many

ATTACKER = "attacker"
_NOT_OF_ATTACKERS = ("ipsec", "nat", "firewall")


def tapped(names: Names, node: str) -> tuple[str, ...]:
    """The links that a node taps, counted names worked out."""
    said = one_or_many(names.nodes[node].get("tap"))
    return tuple(dict.fromkeys(link for text in said for link in names.find_links(text.value)))


def check_taps(name: str, node: Map, names: Names, problems: Problems) -> None:
    """Only an attacker taps, and an attacker does nothing else. That the links exist is checked with all names."""
    kind = node.text("kind")
    if kind is None or kind.value != ATTACKER:
        if "tap" in node.entries:
            problems.add(f"{name} taps a link, so it is  kind: {ATTACKER}", node.entries["tap"].key.place)
        return
    if "tap" not in node.entries:
        example = next(iter(names.links), "wan")
        problems.add(f"an attacker taps a link; write  tap: {example}", node.place)
    for key in _NOT_OF_ATTACKERS:
        if key in node.entries:
            problems.add(
                f"an attacker has no '{key}': it only looks and meddles", node.entries[key].key.place
            )
