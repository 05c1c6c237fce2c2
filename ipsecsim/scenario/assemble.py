"""The model of a topology whose tree is complete: nodes and links read, tunnels named, the script timed."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, cast

from ipsecsim.base.instant import Instant
from ipsecsim.crypto.catalogue import AhSuite, EspSuite
from ipsecsim.scenario import check_ipsec, matrix, references, schema, to_model
from ipsecsim.scenario.addresses import missing_version
from ipsecsim.scenario.fields import optional, value, word_of
from ipsecsim.scenario.manual_tunnels import ManualChild, manual_children
from ipsecsim.scenario.model import (
    Expectation,
    LinkSpec,
    NodeSpec,
    ScriptEntry,
    Topology,
    TunnelEnd,
    TunnelSpec,
)
from ipsecsim.scenario.model_ipsec import ManualChildSpec
from ipsecsim.scenario.model_script import ScriptAction, Set, Traffic
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.scalars import AH_SUITE, ESP_SUITE, TEXT
from ipsecsim.scenario.schema_ipsec import MANUAL_CHILD
from ipsecsim.scenario.to_model import place_of
from ipsecsim.scenario.tree import Map, Seq, Text
from ipsecsim.scenario.understand import Understood
from ipsecsim.scenario.units import duration
from ipsecsim.scenario.verbs.changes import objection


def assemble(understood: Understood, problems: Problems) -> Topology:
    """The model. Notes what only shows now, such as a connection without its secret."""
    root, known, network = understood.root, understood.names, understood.network
    reader = to_model.Reader(network, known, problems)
    links = {name: to_model.link(wire, place_of(root, "links", name)) for name, wire in network.wires.items()}
    nodes = {
        name: reader.node(name, understood.routes[name], place_of(root, "nodes", name))
        for name in known.nodes
    }
    check_ipsec.check(nodes, problems)
    if root.text("until") is None:
        _check_endless(nodes, problems)
    return Topology(
        value(TEXT, root, schema.TOP, "name"),
        (optional(TEXT, root, "story") or "").strip(),
        tuple(_look_for(root)),
        value(TEXT, root, schema.TOP, "seed"),
        optional(schema.DURATION, root, "until"),
        cast(Literal["4", "6", "both"], value(TEXT, root, schema.TOP, "ip")),
        nodes,
        links,
        _tunnels(root, known, nodes),
        _script(understood.sentences, nodes, links, network.versions, problems),
        _expectations(understood),
        pki=word_of(root, schema.TOP, "pki"),
        groups=understood.groups,
        params=understood.params,
        file=understood.file,
        matrix=known.axes,
        warnings=tuple(dict.fromkeys(problems.remarks)),
    )


def _expectations(understood: Understood) -> tuple[Expectation, ...]:
    """The claims that speak of the cell that is read; no longer limited, since it is this one."""
    cell = {**understood.params, **understood.settings}
    return tuple(
        dataclasses.replace(each, where=())
        for each in understood.sentences.expect
        if matrix.applies(each, cell)
    )


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
            connection = "" if tunnel.is_keyed else name
            both = tuple(TunnelEnd(text.value, connection) for text in members if isinstance(text, Text))
            by_hand = tuple(map(_child_by_hand, manual_children(node, name))) if tunnel.is_keyed else ()
            place = place_of(root, "tunnels", name)
            made[name] = TunnelSpec(name, both, tunnel.children, written=True, by_hand=by_hand, place=place)
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


def _child_by_hand(child: ManualChild) -> ManualChildSpec:
    esp, ah = child.proposals.get("esp"), child.proposals.get("ah")
    return ManualChildSpec(
        child.name,
        mode=word_of(child.said, MANUAL_CHILD, "mode"),
        esp="" if esp is None else _words(*ESP_SUITE.read(esp.value)),
        ah="" if ah is None else _words(*AH_SUITE.read(ah.value)),
        sas=child.sas,
    )


def _words(suite: EspSuite | AhSuite, extended: bool) -> str:  # noqa: FBT001  # as the reader gives them
    return f"{suite.words}-esn" if extended else suite.words


def _script(
    sentences: references.Read,
    nodes: Mapping[str, NodeSpec],
    links: Mapping[str, LinkSpec],
    versions: tuple[int, ...],
    problems: Problems,
) -> tuple[ScriptEntry, ...]:
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
        for action in do:
            if isinstance(action, Set) and (wrong := objection(action, links)) is not None:
                problems.add(wrong, action.place)
            if not isinstance(action, Traffic):
                continue
            if action.ip is not None and action.ip not in versions:
                problems.add(missing_version(action.ip), action.place)
            for name in (action.source, action.to):
                if not nodes[name].interfaces:
                    problems.add(f"'{name}' is on no link, so it has no address", action.place)
        made.append(ScriptEntry(at, plus, step.when, do, step.expect, within, step.node.place))
    return tuple(made)


def _named(action: ScriptAction, used: dict[str, int]) -> ScriptAction:
    """Traffic with a name that no other has: the second 'ping' is 'ping 2'."""
    if not isinstance(action, Traffic):
        return action
    used[action.name] = number = used.get(action.name, 0) + 1
    return action if number == 1 else dataclasses.replace(action, name=f"{action.name} {number}")


def _check_endless(nodes: Mapping[str, NodeSpec], problems: Problems) -> None:
    """Without `until:` a run ends when all is quiet, and who never gives up is never quiet."""
    for node in nodes.values():
        for connection in node.ipsec.connections.values() if node.ipsec is not None else ():
            if connection.keyingtries == 0:
                message = "keyingtries: 0 may go on for ever; say when to stop, for example  until: 10m"
                problems.add(message, connection.place)
