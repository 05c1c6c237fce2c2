"""A trouble beside what the topology says of both ends: what a cure is worked out from."""

from dataclasses import dataclass

from ipsecsim.scenario.model import TunnelEnd, TunnelSpec
from ipsecsim.scenario.model_ipsec import ChildSpec, ConnectionSpec, IpsecSpec
from ipsecsim.study.trouble import Evidence, Trouble


@dataclass(frozen=True, slots=True)
class Case:
    """A trouble, and the tunnel that it is about, if any."""

    evidence: Evidence
    trouble: Trouble
    tunnel: TunnelSpec | None

    @property
    def node(self) -> str:
        """Where it shows."""
        return self.trouble.node

    def ipsec(self, node: str) -> IpsecSpec | None:
        """What a node says about IPsec."""
        return self.evidence.world.topology.nodes[node].ipsec

    def end(self, *, here: bool) -> TunnelEnd | None:
        """The end of the tunnel where it shows, or the other one."""
        ends = () if self.tunnel is None else self.tunnel.ends
        return next((end for end in ends if (end.node == self.node) is here), None)

    def connections(self) -> tuple[ConnectionSpec, ConnectionSpec] | None:
        """What this end and the other one say about the connection."""
        here, there = self.end(here=True), self.end(here=False)
        if here is None or there is None or self.tunnel is None or self.tunnel.by_hand:
            return None
        specs = [self.ipsec(end.node) for end in (here, there)]
        found = [
            spec.connections.get(end.connection)
            for spec, end in zip(specs, (here, there), strict=True)
            if spec is not None
        ]
        return (found[0], found[1]) if len(found) == 2 and found[0] and found[1] else None

    def children(self) -> tuple[ChildSpec, ChildSpec] | None:
        """What this end and the other one say about the tunnel's first child."""
        both = self.connections()
        name = self.tunnel.children[0] if self.tunnel is not None and self.tunnel.children else ""
        if both is None or any(name not in each.children for each in both):
            return None
        return both[0].children[name], both[1].children[name]

    def path(self, end: TunnelEnd | None, *keys: str) -> str:
        """The path to something of a connection at one end."""
        return (
            "" if end is None else ".".join(("nodes", end.node, "ipsec.connections", end.connection, *keys))
        )
