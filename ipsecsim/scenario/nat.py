"""`nat:` of a node: how it translates."""

from dataclasses import replace
from typing import Any

from ipsecsim.base.address import Prefix
from ipsecsim.scenario import schema
from ipsecsim.scenario.addresses import main_address
from ipsecsim.scenario.fields import optional
from ipsecsim.scenario.model import NatSpec
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network
from ipsecsim.scenario.problems import Mistake, Problems
from ipsecsim.scenario.scalars import YES_NO
from ipsecsim.scenario.sentence import Sentence, parse
from ipsecsim.scenario.swanctl.values import PROTOCOLS, address, prefix
from ipsecsim.scenario.tree import Map, Node, Seq, Text
from ipsecsim.scenario.units import whole
from ipsecsim.stack.nat.behaviour import (
    PRESETS,
    Behaviour,
    Dependence,
    EspHandling,
    Forward,
    Ports,
    preset,
)

USUAL = "home_router"


def read_nat(network: Network, names: Names, node: str, settings: Map, problems: Problems) -> NatSpec | None:
    """How a node translates; None when it does not."""
    outside = network.outside_of_nat.get(node)
    if outside is None:
        return None
    nat = settings.map("nat") or Map(settings.place)
    wire = network.wires[outside]
    pool = tuple(_pool(nat.get("pool"), problems))
    said = nat.text("preset")
    return NatSpec(
        _behaviour(nat, names, network),
        network.interface(node, wire),
        pool,
        USUAL if said is None else said.value,
        outside,
        tuple(text.value for text in _texts(nat.get("forward"))),
        tuple(text.value for text in _texts(nat.get("exempt"))),
    )


def _pool(node: Node | None, problems: Problems) -> list[bytes]:
    made = []
    for text in _texts(node):
        try:
            made.append(address(text.value))
        except Mistake as mistake:
            problems.add(mistake.message, text.place)
    return made


def _behaviour(nat: Map, names: Names, network: Network) -> Behaviour:
    said = nat.text("preset")
    name = USUAL if said is None else said.value
    usual = PRESETS[name]
    changes: dict[str, Any] = {}
    for key, kind in (
        ("mapping", Dependence),
        ("filtering", Dependence),
        ("ports", Ports),
        ("esp", EspHandling),
    ):
        text = nat.text(key)
        if text is not None:
            changes[key] = kind(text.value)
    for key in ("hairpinning", "ike_helper"):
        answer = optional(YES_NO, nat, key)
        if answer is not None:
            changes[key] = answer
    ah = nat.text("ah")
    if ah is not None:
        changes["ah"] = ah.value == "pass"
    times = nat.map("timeouts")
    if times is not None:
        said_times = {key: optional(schema.DURATION, times, key) for key in ("udp", "tcp", "icmp", "esp")}
        known = {key: at for key, at in said_times.items() if at is not None}
        changes["timeouts"] = replace(usual.timeouts, **known)
    changes["forwards"] = tuple(
        rule for text in _texts(nat.get("forward")) for rule in _forwards(parse(text), names, network)
    )
    changes["exempt"] = tuple(net for text in _texts(nat.get("exempt")) for net in _exempt(parse(text)))
    return preset(name, **changes)


def _forwards(sentence: Sentence, names: Names, network: Network) -> list[Forward]:
    said = {pair.key.text: [word.text for word in pair.values] for pair in sentence.pairs}
    inside = main_address(network, names.find_nodes(said["to"][0])[0]) or bytes(4)
    ports = tuple(_port_range(text) for text in said.get("port", ()))
    if "proto" not in said:
        return [Forward(None, ports, inside)]
    return [Forward(_protocol(word), ports, inside) for word in said["proto"]]


def _protocol(word: str) -> int:
    return PROTOCOLS[word] if word in PROTOCOLS else int(word)


def _port_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return whole(first), whole(last or first)


def _exempt(sentence: Sentence) -> list[Prefix]:
    return [prefix(word.text) for pair in sentence.pairs if pair.key.text == "dst" for word in pair.values]


def _texts(node: Node | None) -> list[Text]:
    found = node.items if isinstance(node, Seq) else [node]
    return [text for text in found if isinstance(text, Text)]
