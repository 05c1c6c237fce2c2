"""Reading a topology: file, text or name in; a checked and complete model out.

load >> extends >> params >> set >> schema >> counts >> references >> addresses, routes, tunnels >> model.
Each stage tells all its mistakes before the next begins.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.base.instant import Instant
from ipsecsim.scenario import (
    addresses,
    counting,
    extends,
    library,
    name_table,
    params,
    references,
    routes,
    schema,
    set_paths,
    to_model,
    tunnels,
)
from ipsecsim.scenario.model import (
    NodeSpec,
    Ping,
    ScriptAction,
    ScriptEntry,
    Send,
    Topology,
    TunnelEnd,
    TunnelSpec,
)
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network
from ipsecsim.scenario.problems import Problems, did_you_mean
from ipsecsim.scenario.schema_ipsec import TEXT
from ipsecsim.scenario.source import load_file, load_text, load_value
from ipsecsim.scenario.to_model import optional, value
from ipsecsim.scenario.tree import Map, Seq, Text
from ipsecsim.scenario.units import duration


def read(
    source: str | Path,
    *,
    params: Mapping[str, str] | None = None,
    settings: Sequence[tuple[str, str]] = (),
    seed: int | str | None = None,
) -> Topology:
    """The topology of a path, of YAML text, or of a name in the library.

    `params` fills in the file's parameters, `settings` are made like `set:`, `seed` replaces the file's.
    Raises ConfigError (several mistakes at once: Refused) naming place, cause and remedy.
    """
    problems = Problems()
    root, file = _load(source, problems)
    shown = root.place.file
    root, values = _compose(root, file, params or {}, settings, seed, problems)
    problems.stop()
    waiting = set_paths.apply(
        root, _settings(root, settings, values, problems), problems, last=False, check=False
    )
    schema.TOP.check(root, "", problems)
    problems.stop()

    counted = counting.count(root, problems)
    problems.stop()
    waiting = set_paths.apply(counted.root, waiting, problems, last=False, check=True)
    known = name_table.collect(counted.root, counted.families)
    sentences = references.check(counted.root, root, known, values, problems)
    problems.stop()
    problems.stop_at_later()

    topology = _expand(counted.root, known, waiting, sentences, problems)
    return dataclasses.replace(
        topology,
        groups=counted.groups,
        params=values,
        file=shown,
        warnings=tuple(dict.fromkeys(problems.remarks)),
    )


def _load(source: str | Path, problems: Problems) -> tuple[Map, Path | None]:
    """The tree, and the file it came from."""
    if isinstance(source, str) and ("\n" in source or ": " in source):
        return load_text(source, "<text>", problems), None
    path = Path(source)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return load_file(path, problems, str(source)), path
    found = library.find(str(source))
    if found is None:
        hint = did_you_mean(str(source), library.names())
        raise ConfigError(f"there is no topology '{source}' in the library, and no such file{hint}")
    return load_file(found, problems), found


def _compose(
    root: Map,
    file: Path | None,
    overrides: Mapping[str, str],
    settings: Sequence[tuple[str, str]],
    seed: int | str | None,
    problems: Problems,
) -> tuple[Map, dict[str, str]]:
    """The tree with what it extends and its parameters filled in, and the parameters' values."""
    root = extends.resolve(root, file, problems)
    if seed is not None:
        root.put("seed", Text(str(seed), Place("seed"), ()))
    return root, params.apply(root, overrides, problems)


def _settings(
    root: Map, given: Sequence[tuple[str, str]], values: Mapping[str, str], problems: Problems
) -> list[set_paths.Setting]:
    """The file's `set:`, taken out of the tree, then the settings from outside."""
    made: list[set_paths.Setting] = []
    written = root.get("set")
    if isinstance(written, Map):
        made += [set_paths.Setting(key, e.node, e.key.place) for key, e in written.entries.items()]
        del root.entries["set"]
    for path, text in given:
        place = Place(f"{path}={text!r}")
        made.append(set_paths.Setting(path, params.fill(load_value(text, place), values, problems), place))
    problems.stop()
    return made


def _expand(
    root: Map,
    known: Names,
    waiting: list[set_paths.Setting],
    sentences: references.Read,
    problems: Problems,
) -> Topology:
    """Everything that was left out, filled in; then the model."""
    seed = value(TEXT, root, schema.TOP, "seed")
    network = Network(root, known, problems)
    problems.stop()
    addresses.assign(network, known, problems)
    problems.stop()
    tables = routes.tables(network, known, problems)
    tunnels.expand(root, network, known, seed, problems)
    set_paths.apply(root, waiting, problems, last=True, check=True)
    problems.stop()
    reader = to_model.Reader(network, known, problems)
    links = {
        name: to_model.link(wire, to_model.place_of(root, "links", name))
        for name, wire in network.wires.items()
    }
    nodes = {
        name: reader.node(name, tables[name], to_model.place_of(root, "nodes", name)) for name in known.nodes
    }
    until = optional(schema.DURATION, root, "until")
    topology = Topology(
        value(TEXT, root, schema.TOP, "name"),
        (optional(TEXT, root, "story") or "").strip(),
        tuple(_look_for(root)),
        seed,
        until,
        nodes,
        links,
        _tunnels(root, known, nodes),
        _script(sentences),
        sentences.expect,
    )
    _check_rekeying(topology, root, problems)
    problems.stop()
    problems.stop_at_later()
    return topology


def _look_for(root: Map) -> list[str]:
    listed = root.get("look_for")
    return [
        text.value for text in (listed.items if isinstance(listed, Seq) else []) if isinstance(text, Text)
    ]


def _tunnels(root: Map, known: Names, nodes: Mapping[str, NodeSpec]) -> dict[str, TunnelSpec]:
    """Tunnels as written, then children set up by hand, each with every node that has one of its name."""
    made: dict[str, TunnelSpec] = {}
    written = root.map("tunnels")
    for name, tunnel in known.tunnels.items():
        node = None if written is None else written.map(name)
        if node is not None:
            ends = node.get("ends")
            members = ends.items if isinstance(ends, Seq) else []
            both = tuple(TunnelEnd(text.value, name) for text in members if isinstance(text, Text))
            place = to_model.place_of(root, "tunnels", name)
            made[name] = TunnelSpec(name, both, tunnel.children, written=True, place=place)
            continue
        both = tuple(
            TunnelEnd(spec.name, connection.name)
            for spec in nodes.values()
            if spec.ipsec is not None
            for connection in spec.ipsec.connections.values()
            if name in connection.children
        )
        place = nodes[tunnel.node].place
        made[name] = TunnelSpec(name, both, tunnel.children, written=False, place=place)
    return made


def _script(sentences: references.Read) -> tuple[ScriptEntry, ...]:
    """The script with absolute times wherever they are known, and a name of its own for all traffic."""
    made: list[ScriptEntry] = []
    before: Instant | None = 0
    used: dict[str, int] = {}
    for step in sentences.script:
        text = step.node.text("at")
        at: Instant | None = None
        plus: Instant | None = None
        if step.when:
            before = None
        else:
            offset = duration(text.value.removeprefix("+")) if text is not None else 0
            if text is not None and not text.value.startswith("+"):
                at = before = offset
            elif before is not None:
                at = before = before + offset
            else:
                plus = offset
        within = optional(schema.DURATION, step.node, "within")
        do = tuple(_named(action, used) for action in step.do)
        made.append(ScriptEntry(at, plus, step.when, do, step.expect, within, step.node.place))
    return tuple(made)


def _named(action: ScriptAction, used: dict[str, int]) -> ScriptAction:
    """Traffic with a name that no other has: the second 'ping' is 'ping 2'."""
    if not isinstance(action, Ping | Send):
        return action
    used[action.name] = number = used.get(action.name, 0) + 1
    return action if number == 1 else dataclasses.replace(action, name=f"{action.name} {number}")


def _check_rekeying(topology: Topology, root: Map, problems: Problems) -> None:
    """Timers that would run out before the end, while nobody rekeys."""
    if topology.until is None:
        return
    text = root.text("until")
    for node in topology.nodes.values():
        for connection in node.ipsec.connections.values() if node.ipsec is not None else ():
            times = [connection.rekey_time, *(child.rekey_time for child in connection.children.values())]
            if any(0 < time <= topology.until for time in times):
                problems.not_yet(
                    "rekeying, and until: is past rekey_time; end earlier, or write rekey_time: 0 for both",
                    None if text is None else text.place,
                )
                return
