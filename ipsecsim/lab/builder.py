"""A topology made line by line instead of in a file. It writes the YAML that the one reader reads."""

from collections.abc import Mapping
from io import StringIO
from typing import Any, Self

from ruamel.yaml import YAML

from ipsecsim.lab.shown import Shown


class Topology(Shown):
    """`Topology("two")`, then `node`, `link`, `tunnel`, `do`, `expect`; give it to `Lab`.

    Options have the names of the topology language. What is wrong in them is said when the lab reads it.
    """

    def __init__(self, name: str, **head: object) -> None:
        self.name = name
        self._head: dict[str, object] = {"name": name, **head}
        self._nodes: dict[str, object] = {}
        self._links: dict[str, object] = {}
        self._tunnels: dict[str, object] = {}
        self._script: list[object] = []
        self._expect: list[object] = []

    def node(self, name: str, kind: str = "host", **options: object) -> Self:
        """A node: host, router, gateway, nat, firewall, laptop, attacker."""
        self._nodes[name] = {"kind": kind, **options}
        return self

    def link(self, name: str, *ends: str, **options: object) -> Self:
        """A link between two nodes, or a LAN of more: `link("wan", "west", "east", delay="10ms")`."""
        self._links[name] = {"endpoints": list(ends), **options} if options else list(ends)
        return self

    def tunnel(self, name: str, *ends: str, **options: object) -> Self:
        """A tunnel between two nodes: `tunnel("net", "west", "east", child={"mode": "tunnel"})`."""
        self._tunnels[name] = {"ends": list(ends), **options}
        return self

    def do(self, sentence: str, at: str | None = None) -> Self:
        """A line of the script; without `at`, at the time of the line before."""
        self._script.append({"do": sentence} if at is None else {"at": at, "do": sentence})
        return self

    def expect(self, subject: str, claim: str) -> Self:
        """A claim about the run: `expect("ping", "received 3")`."""
        self._expect.append({subject: claim})
        return self

    def to_yaml(self) -> str:
        """The file that this topology would be."""
        parts: Mapping[str, object] = {
            "nodes": self._nodes,
            "links": self._links,
            "tunnels": self._tunnels,
            "script": self._script,
            "expect": self._expect,
        }
        writer: Any = YAML(typ="safe", pure=True)
        writer.default_flow_style = None
        writer.sort_base_mapping_type_on_output = False
        out = StringIO()
        writer.dump({**self._head, **{key: part for key, part in parts.items() if part}}, out)
        return out.getvalue()

    def text(self) -> str:
        """The file."""
        return self.to_yaml()
