"""`nat:` of a node: how it translates."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ipsecsim.base.address import pack
from ipsecsim.ipsec.selector import ANY_PROTOCOL
from ipsecsim.scenario import schema
from ipsecsim.scenario.addresses import main_address
from ipsecsim.scenario.fields import optional, word_of
from ipsecsim.scenario.matching import compiled
from ipsecsim.scenario.model import NatSpec
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network
from ipsecsim.scenario.scalars import ADDRESSES, WHOLE, YES_NO
from ipsecsim.scenario.selection import check_exemption, port_ranges, protocols_of
from ipsecsim.scenario.sentence import Sentence, parse
from ipsecsim.scenario.tree import Map, one_or_many
from ipsecsim.stack.nat.behaviour import (
    PRESETS,
    Behaviour,
    Dependence,
    EspHandling,
    Forward,
    OneToOne,
    Ports,
    preset,
)


def read_nat(network: Network, names: Names, node: str, settings: Map) -> NatSpec | None:
    """How a node translates; None when it does not."""
    outside = network.outside_of_nat.get(node)
    if outside is None:
        return None
    nat = settings.map("nat") or Map(settings.place)
    wire = network.wires[outside]
    return NatSpec(
        _behaviour(nat, names, network),
        network.interface(node, wire),
        tuple(ADDRESSES.values(nat.get("pool"))),
        word_of(nat, schema.NAT, "preset"),
        outside,
        tuple(sentence.text for sentence in _sentences(nat, "forward")),
        tuple(sentence.text for sentence in _sentences(nat, "exempt")),
    )


def _behaviour(nat: Map, names: Names, network: Network) -> Behaviour:
    name = word_of(nat, schema.NAT, "preset")
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
        said_times = {key: optional(schema.DURATION, times, key) for key in schema.NAT_TIMES}
        known = {key: at for key, at in said_times.items() if at is not None}
        changes["timeouts"] = replace(PRESETS[name].timeouts, **known)
    most = optional(WHOLE, nat, "ports_per_host")
    if most is not None:
        changes["most_per_host"] = most
    rules = [rule for each in _sentences(nat, "forward") for rule in _led_inside(each, names, network)]
    changes["forwards"] = tuple(rule for rule in rules if isinstance(rule, Forward))
    changes["one_to_one"] = tuple(rule for rule in rules if isinstance(rule, OneToOne))
    changes["exempt"] = tuple(
        compiled(check_exemption(text, names), network.addresses_of)
        for text in one_or_many(nat.get("exempt"))
    )
    return preset(name, **changes)


def _led_inside(sentence: Sentence, names: Names, network: Network) -> Sequence[Forward | OneToOne]:
    given = {pair.key.text: pair for pair in sentence.pairs}
    inside = main_address(network, names.node(given["to"].value)) or bytes(4)
    if "dst" in given:
        return [OneToOne(inside, pack(given["dst"].value.text))]
    led = tuple(port_ranges(given["port"])) if "port" in given else ()
    numbers = protocols_of(given.get("proto")) or [ANY_PROTOCOL]
    return [Forward(None if number == ANY_PROTOCOL else number, led, inside) for number in numbers]


def _sentences(nat: Map, key: str) -> list[Sentence]:
    """The sentences of a list, which were checked where all references are."""
    return [parse(text) for text in one_or_many(nat.get(key))]
