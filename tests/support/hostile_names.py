"""Worlds in which everything that has a name has a hostile one. The reader refuses them, so it is gone around."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from ipsecsim.experiment.run import Run
from ipsecsim.scenario import library
from ipsecsim.scenario.model import Topology
from ipsecsim.scenario.read import read
from ipsecsim.scenario.to_yaml import expanded_yaml

TABLE = Path(__file__).parent.parent / "data" / "hostile_strings.json"
WORLD = "behind_nat"
MOST_OF_A_WORD = 60  # bytes of one that has to fit into a certificate


@cache
def strings() -> Mapping[str, str]:
    """Every string by what it is. 'x@1000' in the file stands for x a thousand times."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return {what: _long(text) if what.startswith("very long") else text for what, text in table.items()}


def _long(text: str) -> str:
    sign, _, times = text.rpartition("@")
    return (sign or "a") * int(times)


@cache
def worlds(longest: int = 10_000) -> list[Topology]:
    """As many topologies as it takes until each string is the name of a node in one of them."""
    path = library.find(WORLD)
    assert path is not None
    plain = read(path)
    nodes, every = list(plain.nodes), [word[:longest] for word in strings().values()]
    found = []
    for start in range(0, len(every), len(nodes)):
        taken = [every[(start + at) % len(every)] for at in range(len(nodes))]
        links = dict(zip(plain.links, taken, strict=False))
        found.append(hostile(plain, {**dict(zip(nodes, taken, strict=True)), "net": taken[-1]}, links))
    return found


def hostile(plain: Topology, names: Mapping[str, str], links: Mapping[str, str]) -> Topology:
    """A topology in which nodes, tunnels and links are called otherwise, with a title and a story made of them.

    Interfaces keep their names: routes go by them.
    """
    other = renamed(plain, names)
    assert isinstance(other, Topology)
    nodes = {
        name: replace(
            node, interfaces=tuple(replace(each, link=links[each.link]) for each in node.interfaces)
        )
        for name, node in other.nodes.items()
    }
    wires = {links[name]: replace(link, name=links[name]) for name, link in other.links.items()}
    words = " ".join(names.values())
    return replace(
        other, nodes=nodes, links=wires, name=words[:200], story=words, look_for=tuple(names.values())
    )


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Each word that is one of `names` becomes what it stands for, wherever it is."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, Mapping):
        return {renamed(key, names): renamed(each, names) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(renamed(each, names) for each in value) if type(value) in (tuple, list) else value
    if (
        is_dataclass(value)
        and not isinstance(value, type)
        and type(value).__module__.startswith("ipsecsim.scenario")
    ):
        changed = {
            each.name: renamed(getattr(value, each.name), names) for each in fields(value) if each.init
        }
        return replace(value, **changed)
    return value


@cache
def run_of(at: int) -> Run:
    """The run of one of the worlds."""
    return Run(worlds()[at]).run()


@cache
def certified(word: str) -> Run:
    """A run in which a gateway has this word in its certificate and sends it. Raises ConfigError, as the reader."""
    # cut by bytes, between signs; a lone surrogate stays for the reader to refuse
    cut = word.encode("utf-8", "surrogatepass")[:MOST_OF_A_WORD]
    fitting = cut.decode("utf-8", "ignore") if not any(map(is_surrogate, word)) else word
    written = re.sub(r"([,\\])", r"\\\1", fitting)
    identity = json.dumps(f"O=lab, CN={written}", ensure_ascii=False)
    return Run(read(expanded_yaml(read("site_to_site_certs")).replace("west.example", identity))).run()


def is_surrogate(sign: str) -> bool:
    """Half of a sign, which no encoding takes alone."""
    return "\ud800" <= sign <= "\udfff"
