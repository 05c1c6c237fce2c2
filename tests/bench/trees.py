"""Topologies of any size, made in memory: a tree of routers with hosts below them, some behind gateways."""

from dataclasses import dataclass

from ipsecsim.scenario import read
from ipsecsim.scenario.model import Topology


@dataclass(frozen=True, slots=True)
class Tree:
    """A core, so many regions, in each so many sites, at each a LAN of so many hosts.

    One site of each region is behind a gateway with a tunnel to the one of the next region.
    """

    regions: int
    sites: int
    hosts: int

    @property
    def text(self) -> str:
        """The topology as a file says it."""
        places = self.regions * self.sites
        lines = [
            "name: tree",
            "nodes:",
            "  core: {kind: router}",
            f"  region: {{kind: router, count: {self.regions}}}",
            f"  site: {{kind: router, count: {places}}}",
            f"  host: {{count: {places * self.hosts}}}",
            f"  gate: {{kind: gateway, count: {self.regions}}}",
            f"  pc: {{count: {self.regions}}}",
            "links:",
            "  trunk: [core, region]",
            "  access: [region, gate]",
            "  office: [gate, pc]",
        ]
        for place in range(places):
            hosts = ", ".join(f"host{place * self.hosts + n + 1}" for n in range(self.hosts))
            lines.append(f"  up{place}: [region{place // self.sites + 1}, site{place + 1}]")
            lines.append(f"  lan{place}: [site{place + 1}, {hosts}]")
        lines.append("tunnels:")
        lines += [f"  net{n}: [gate{n}, gate{n % self.regions + 1}]" for n in range(1, self.regions)]
        return "\n".join(lines) + "\n"

    def read(self) -> Topology:
        """The topology."""
        return read(self.text)

    def far_pair(self, number: int) -> tuple[str, str]:
        """Two hosts of different regions, another pair for each number: always six links apart."""
        region, other = number % self.regions, (number + 1) % self.regions
        return self._host(region, number), self._host(other, number * 7 + 3)

    def _host(self, region: int, number: int) -> str:
        a_region_has = self.sites * self.hosts
        return f"host{region * a_region_has + number % a_region_has + 1}"


SMALL, THOUSAND, TEN_THOUSAND = Tree(2, 1, 1), Tree(10, 9, 10), Tree(20, 24, 20)


def grid(side: int) -> Topology:
    """side x side routers in rows and columns: many ways of the same length, and nobody with one way out."""
    lines = ["name: grid", "nodes:", f"  r: {{kind: router, count: {side * side}}}", "links:"]
    for row in range(side):
        for column in range(side):
            here = row * side + column + 1
            if column + 1 < side:
                lines.append(f"  e{here}: [r{here}, r{here + 1}]")
            if row + 1 < side:
                lines.append(f"  s{here}: [r{here}, r{here + side}]")
    return read("\n".join(lines) + "\n")
