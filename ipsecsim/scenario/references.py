"""What points at things: sentences, selectors, routes, addresses, and whether it makes sense there."""

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario import units
from ipsecsim.scenario.claims import read_claims
from ipsecsim.scenario.matrix import MOST_CELLS
from ipsecsim.scenario.model import Expectation
from ipsecsim.scenario.model_script import ScriptAction
from ipsecsim.scenario.name_table import Names, is_manual
from ipsecsim.scenario.problems import Mistake, Problems
from ipsecsim.scenario.routes import check_route
from ipsecsim.scenario.schema_ipsec import CHILD, MANUAL_CHILD
from ipsecsim.scenario.script import read_action, traffic_name
from ipsecsim.scenario.selection import check_exemption, check_forward, check_rule, check_spd_rule
from ipsecsim.scenario.sentence import Word
from ipsecsim.scenario.set_paths import TreePaths, leads_somewhere
from ipsecsim.scenario.spd import GATEWAYS_TRANSPORT
from ipsecsim.scenario.swanctl.parse import NotYet
from ipsecsim.scenario.swanctl.values import items, selector_address
from ipsecsim.scenario.taps import check_taps
from ipsecsim.scenario.tree import Map, Node, Seq, Text, one_or_many

MOST_ACTIONS = 50_000
"""Things a script may do, each member of a group or counted name counted."""


@dataclass(slots=True)
class Step:
    """One entry of the script, its sentences and claims read."""

    node: Map
    do: list[ScriptAction]
    when: tuple[Expectation, ...]
    expect: tuple[Expectation, ...]


@dataclass(slots=True)
class Read:
    """The sentences of a topology, read."""

    script: list[Step]
    expect: tuple[Expectation, ...]


def check(root: Map, written: Map, names: Names, params: dict[str, str], problems: Problems) -> Read:
    """Check everything that points at something; the script and the claims, read.

    `root` has its counts worked out; `written` is the tree before that, whose paths people know.
    """
    for name, node in names.nodes.items():
        _check_node(name, node, names, problems)
    for name, tunnel in _maps(root, "tunnels"):
        _check_keying(f"tunnels.{name}", tunnel, problems)
        _check_transport(tunnel, names, problems)
        _check_address_keys(tunnel, names, problems)
        ends = tunnel.get("ends")
        lender = names.nodes.get(one_or_many(ends)[-1].value) if isinstance(ends, Seq) else None
        _check_pools(f"tunnel '{name}'", tunnel, None if lender is None else lender.map("ipsec"), problems)
    _check_matrix(root, written, params, problems)
    return _read_script(root, names, problems)


def _maps(root: Map, key: str) -> Iterator[tuple[str, Map]]:
    holder = root.map(key)
    if holder is not None:
        yield from holder.maps()


def _sentences(
    node: Node | None, check: Callable[[Text, Names], object], names: Names, problems: Problems
) -> None:
    for text in node.items if isinstance(node, Seq) else []:
        if not isinstance(text, Text):
            continue
        try:
            check(text, names)
        except NotYet as later:
            problems.not_yet(later.message, text.at(later.offset))
        except Mistake as mistake:
            problems.add(mistake.message, text.at(mistake.offset))


def _check_node(name: str, node: Map, names: Names, problems: Problems) -> None:
    """The sentences and names under one node."""
    _sentences(node.get("routes"), check_route, names, problems)
    nat, firewall, ipsec = node.map("nat"), node.map("firewall"), node.map("ipsec")
    if nat is not None:
        _sentences(nat.get("forward"), check_forward, names, problems)
        _sentences(nat.get("exempt"), check_exemption, names, problems)
        outside = nat.text("outside")
        if outside is not None:
            _check_link(outside, names, problems)
    if firewall is not None:
        _sentences(firewall.get("rules"), check_rule, names, problems)
    check_taps(name, node, names, problems)
    for link in one_or_many(node.get("tap")):
        _check_link(link, names, problems)
    if ipsec is not None:
        _sentences(ipsec.get("spd"), check_spd_rule, names, problems)
        for connection_name, connection in _maps(ipsec, "connections"):
            _check_connection(connection_name, connection, ipsec, names, problems)
        for _, manual in _maps(ipsec, "sas"):
            for key in ("src", "dst"):
                _check_addresses(manual.get(key), names, problems)


def _check_link(text: Text, names: Names, problems: Problems) -> None:
    _sentences(Seq(text.place, [text]), lambda one, known: known.link(Word(one.value, 0)), names, problems)


def _check_connection(name: str, connection: Map, ipsec: Map, names: Names, problems: Problems) -> None:
    _check_address_keys(connection, names, problems)
    _check_pools(f"connection '{name}'", connection, ipsec, problems)


def _check_pools(who: str, said: Map, ipsec: Map | None, problems: Problems) -> None:
    """The pools that a node draws from are under its own `pools`."""
    pools = None if ipsec is None else ipsec.map("pools")
    for text in items(said.get("pools")):
        if pools is None or text.value not in pools.entries:
            problems.add(f"{who} draws from pool '{text.value}', which is not under pools", text.place)


def _check_address_keys(connection: Map, names: Names, problems: Problems) -> None:
    """The addresses and selectors of a connection or tunnel and its children."""
    for key in ("local_addrs", "remote_addrs"):
        _check_addresses(connection.get(key), names, problems)
    for child in (connection.map("child"), *(each for _, each in _maps(connection, "children"))):
        for key in ("local_ts", "remote_ts"):
            _check_addresses(None if child is None else child.get(key), names, problems)


def _check_addresses(node: Node | None, names: Names, problems: Problems) -> None:
    """Addresses, networks, or names that stand for them."""
    for text in items(node):
        address = selector_address(text.value)
        if address in ("any", "%any", "dynamic") or names.find_nodes(address):
            continue
        try:
            ipaddress.ip_network(address)
        except ValueError:
            try:
                meant = ipaddress.ip_network(address, strict=False)
                problems.add(f"'{address}' has host bits set; write {meant}", text.place)
            except ValueError:
                if address[:1].isdigit() or ":" in address or address.startswith("%"):
                    problems.add(f"'{address}' is no address or network", text.place)
                else:
                    _sentences(
                        Seq(text.place, [Text(address, text.place, text.marks)]),
                        lambda one, known: known.members(Word(one.value, 0)),
                        names,
                        problems,
                    )


def _check_keying(path: str, tunnel: Map, problems: Problems) -> None:
    """What a tunnel and its children say must mean something to whoever makes the keys."""
    table = CHILD
    if is_manual(tunnel):
        table = MANUAL_CHILD
        for key, entry in tunnel.entries.items():
            if key not in ("ends", "keying", "child", "children", "encap", "via"):
                problems.remark(f"'{key}' says nothing here: keying: manual has no IKE", entry.key.place)
    child, children = tunnel.get("child"), tunnel.map("children")
    if child is not None and children is not None:
        problems.add("a tunnel has child: or children:, not both", tunnel.entries["child"].key.place)
    if child is not None:
        table.check(child, f"{path}.child", problems)
    for name, each in [] if children is None else children.items():
        table.check(each, f"{path}.children.{name}", problems)


def _check_transport(tunnel: Map, names: Names, problems: Problems) -> None:
    """Transport mode keeps the packet's own addresses, so it can't carry what a gateway forwards."""
    ends = tunnel.get("ends")
    if not isinstance(ends, Seq):
        return
    gateways = [
        (index, text.value)
        for index, text in enumerate(ends.items)
        if isinstance(text, Text) and _kind(names.nodes.get(text.value)) == "gateway"
    ]
    children = [tunnel.map("child"), *(child for _, child in _maps(tunnel, "children"))]
    for child in children:
        mode = None if child is None else child.text("mode")
        if child is None or mode is None or mode.value != "transport":
            continue
        for index, gateway in gateways:
            own = child.get("remote_ts" if index else "local_ts")
            if own is not None and all(text.value in ("dynamic", gateway) for text in items(own)):
                continue
            problems.add(GATEWAYS_TRANSPORT, mode.place)
            break


def _kind(node: Map | None) -> str:
    kind = None if node is None else node.text("kind")
    return "host" if kind is None else kind.value


def _check_matrix(root: Map, written: Map, params: dict[str, str], problems: Problems) -> None:
    matrix = root.map("matrix")
    cells = 1
    for axis, entry in [] if matrix is None else matrix.entries.items():
        values = [text.value for text in one_or_many(entry.node)]
        cells *= len(values)
        if not values:
            problems.add(f"axis '{axis}' has no values; write  {axis}: [a, b]", entry.key.place)
        for twice in (value for value, count in Counter(values).items() if count > 1):
            problems.add(f"axis '{axis}' has the value '{twice}' twice", entry.key.place)
        if cells > MOST_CELLS:
            problems.add(f"the matrix has more than {MOST_CELLS} cells", entry.key.place)
            return
        if axis in params:
            continue
        if "." not in axis:
            problems.add(f"axis '{axis}' is neither a parameter nor a path", entry.key.place)
            continue
        failure = leads_somewhere(written, axis, entry.key.place)
        if failure is not None and not failure.wait:
            problems.add(failure.message, entry.key.place)


# The script and the claims


def _read_script(root: Map, names: Names, problems: Problems) -> Read:
    script = root.get("script")
    steps = [step for step in (script.items if isinstance(script, Seq) else []) if isinstance(step, Map)]
    sentences = [one_or_many(step.get("do")) for step in steps]
    names.paths = TreePaths(root)
    names.traffic |= {name for texts in sentences for text in texts if (name := traffic_name(text))}

    read: list[Step] = []
    actions = 0
    for step, texts in zip(steps, sentences, strict=True):
        _check_step(step, first=not read, problems=problems)
        do: list[ScriptAction] = []
        for text in texts:
            try:
                do += read_action(text, names)
            except NotYet as later:
                problems.not_yet(later.message, text.at(later.offset))
            except Mistake as mistake:
                problems.add(mistake.message, text.at(mistake.offset))
            if actions + len(do) > MOST_ACTIONS:
                raise ConfigError(f"the script does more than {MOST_ACTIONS} things", text.place)
        actions += len(do)
        when, expect = (
            () if (claims := step.map(key)) is None else read_claims(claims, names, problems)
            for key in ("when", "expect")
        )
        read.append(Step(step, do, when, expect))
    expected: list[Expectation] = []
    listed = root.get("expect")
    for member in listed.items if isinstance(listed, Seq) else []:
        if isinstance(member, Map):
            expected += read_claims(member, names, problems)
    return Read(read, tuple(expected))


def _check_step(step: Map, *, first: bool, problems: Problems) -> None:
    """Keys of one entry that do not go together."""
    if step.get("at") is not None and step.get("when") is not None:
        problems.add("an entry has at: or when:, not both", step.entries["when"].key.place)
    if step.get("within") is not None and step.get("expect") is None:
        problems.add(
            "within: says how long expect: may take, and there is no expect:",
            step.entries["within"].key.place,
        )
    if step.get("do") is None and step.get("expect") is None:
        problems.add("this entry does nothing; write  do: ping alice bob", step.place)
    at = step.text("at")
    if first and at is not None and at.value.startswith("+") and units.duration(at.value[1:]) > 0:
        problems.remark("there is no entry before this one, so it counts from the start", at.place)
