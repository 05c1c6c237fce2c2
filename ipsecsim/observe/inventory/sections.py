"""Every section and who looks at it. A node without the matter has nothing there."""

from collections.abc import Iterator, Mapping

from ipsecsim.net.node import Node
from ipsecsim.observe.inventory import ike, ipsec, network
from ipsecsim.observe.inventory.section import Section, Value

SECTIONS: Mapping[str, Section] = {
    "interfaces": network.INTERFACES,
    "routes": network.ROUTES,
    "ike": ike.IKE,
    "sas": ipsec.SAS,
    "policies": ipsec.POLICIES,
    "held": ipsec.HELD,
    "pools": ike.POOLS,
    "mappings": network.MAPPINGS,
    "connections": network.CONNECTIONS,
    "fragments": network.FRAGMENTS,
    "path MTU": network.PATH_MTUS,
    "applications": network.APPLICATIONS,
}

DROPPED = "dropped"
"""A section that nobody looks at: drops are counted as they are told."""


def look(node: Node) -> Iterator[tuple[tuple[str, ...], Value]]:
    """All that a live node knows now."""
    for name, section in SECTIONS.items():
        for _, thing in section.rows(node):
            for way, value in section.entries(thing):
                yield (name, *way), value
