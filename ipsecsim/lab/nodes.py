"""What a node knows, and what both ends of a tunnel know, at the turn where somebody looks."""

from collections.abc import Iterable, Mapping
from typing import Any

from ipsecsim.base.instant import SECOND, format_duration
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.tunnel_life import life_of
from ipsecsim.experiment.tunnels import rules_of
from ipsecsim.lab.shown import Shown
from ipsecsim.lab.table import Cell, Table

Tree = Mapping[str, Any]

SAS = ("node", "direction", "spi", "kind", "suite", "outer", "policy", "sequence", "window", "packets")
POLICIES = ("node", "rule", "name", "action", "selectors", "hits")
ROUTES = ("node", "to", "way")
NAT = ("node", "protocol", "inside", "outside", "remote")


def sas(run: Run, turn: int, nodes: Iterable[str]) -> Table:
    """The SAs of these nodes; a row has the keys and the selectors too."""
    rows: list[dict[str, Cell]] = []
    for node, name, values in _rows(run, turn, nodes, "sas"):
        direction, _, spi = name.partition(" ")
        keys = values.pop("keys")
        row: dict[str, Cell] = {"node": node, "direction": direction, "spi": spi, **values}
        rows.append({**row, "encryption_key": keys.get("encryption"), "integrity_key": keys.get("integrity")})
    return Table("SAD", SAS, rows)


def policies(run: Run, turn: int, nodes: Iterable[str]) -> Table:
    """The SPD, rule by rule in the order in which rules are tried."""
    rows: list[dict[str, Cell]] = []
    for node, name, values in _rows(run, turn, nodes, "policies"):
        number, _, rule = name.partition(" ")
        rows.append({"node": node, "rule": int(number), "name": rule, **values})
    return Table("SPD", POLICIES, rows)


def routes(run: Run, turn: int, nodes: Iterable[str]) -> Table:
    """What each node was told of where networks lie."""
    rows: list[dict[str, Cell]] = []
    for node, name, values in _rows(run, turn, nodes, "routes"):
        rows += [{"node": node, "to": name, "way": way} for way in values.values()]
    return Table("Routes", ROUTES, rows)


def nat(run: Run, turn: int, nodes: Iterable[str]) -> Table:
    """What NATs remember."""
    rows: list[dict[str, Cell]] = []
    for node, name, values in _rows(run, turn, nodes, "mappings"):
        rows.append({"node": node, "protocol": name.partition(" ")[0], **values})
    return Table("NAT mappings", NAT, rows)


def _rows(
    run: Run, turn: int, nodes: Iterable[str], section: str
) -> Iterable[tuple[str, str, dict[str, Any]]]:
    for node in nodes:
        tree: Tree = run.inventory.tree(turn, node)
        for name, values in tree.get(section, {}).items():
            yield node, name, dict(values)


class NodeView(Shown):
    """One node at one turn."""

    def __init__(self, run: Run, turn: int, name: str) -> None:
        self._run, self._turn, self.name = run, turn, name
        self.tree: Tree = run.inventory.tree(turn, name)

    @property
    def sas(self) -> Table:
        """Its SAs."""
        return sas(self._run, self._turn, [self.name])

    @property
    def policies(self) -> Table:
        """Its rules."""
        return policies(self._run, self._turn, [self.name])

    @property
    def routes(self) -> Table:
        """What it was told of where networks lie."""
        return routes(self._run, self._turn, [self.name])

    @property
    def nat(self) -> Table:
        """What its NAT remembers."""
        return nat(self._run, self._turn, [self.name])

    @property
    def addresses(self) -> tuple[str, ...]:
        """On its interfaces."""
        found = [each.get("addresses", "") for each in self.tree.get("interfaces", {}).values()]
        return tuple(address for text in found for address in text.split(", ") if address)

    def text(self) -> str:
        """All that it knows, section by section."""
        return "\n".join([f"{self.name} after turn {self._turn}", *_tree_lines(self.tree, 1)])


def _tree_lines(tree: Tree, depth: int) -> Iterable[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield f"{'  ' * depth}{name}"
            yield from _tree_lines(value, depth + 1)
        else:
            yield f"{'  ' * depth}{name:<14} {value}"


class Tunnel(Shown):
    """Both ends of a tunnel at one turn, side by side."""

    def __init__(self, run: Run, turn: int, name: str) -> None:
        self._run, self._turn, self.name = run, turn, name
        self._spec = run.topology.tunnels[name]
        self.ends = tuple(end.node for end in self._spec.ends)

    @property
    def sas(self) -> Table:
        """The SAs of its children, at both ends."""
        mine = [row for row in sas(self._run, self._turn, self.ends) if row.policy in self._rules(row.node)]
        return Table(f"SAs of tunnel {self.name}", SAS, mine)

    @property
    def ike(self) -> Table:
        """Its IKE SAs, at both ends; a row has the keys too."""
        rows: list[dict[str, Cell]] = []
        for end in self._spec.ends:
            for node, name, values in _rows(self._run, self._turn, [end.node], "ike"):
                if name.partition(" ")[0] == end.connection:
                    plain = {key.replace(" ", "_"): value for key, value in values.items()}
                    keys, _ = plain.pop("keys", {}), plain.pop("children", {})
                    rows.append({"node": node, **plain, **keys})
        return Table("IKE SAs", ("node", "state", "role", "SPI_i", "SPI_r", "local", "remote", "suite"), rows)

    @property
    def is_up(self) -> bool:
        """Has it SAs at both ends for all its children, at the end of time?"""
        return is_up(self._run.world, self.name)

    @property
    def setup_time(self) -> float | None:
        """From the first IKE message to the last SA, in seconds; None when it never came up."""
        found = life_of(self._run.world, self._run.recorder, self.name).setup_time
        return None if found is None else found / SECOND

    @property
    def outage(self) -> float | None:
        """How long it was down after that, in seconds."""
        found = life_of(self._run.world, self._run.recorder, self.name).outage
        return None if found is None else found / SECOND

    def text(self) -> str:
        """IKE SA and SAs at both ends."""
        life = life_of(self._run.world, self._run.recorder, self.name)
        took = "" if life.setup_time is None else f"   took {format_duration(life.setup_time)}"
        when = "" if self._turn == self._run.turns else "in the end "
        head = (
            f"tunnel {self.name}   {when}{'up' if self.is_up else 'down'}{took}   {' and '.join(self.ends)}"
        )
        parts = [self.ike.text()] if self.ike else []
        return "\n".join([head, *parts, self.sas.text()])

    def _rules(self, node: str) -> set[str]:
        end = next(each for each in self._spec.ends if each.node == node)
        return rules_of(self._run.topology.nodes[node], self._spec, end)
