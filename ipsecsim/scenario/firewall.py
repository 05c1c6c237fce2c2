"""`firewall:` of a node: the rules it filters by, its own and those of a preset."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from ipsecsim.base.errors import Place
from ipsecsim.scenario import schema
from ipsecsim.scenario.fields import optional, value, word_of
from ipsecsim.scenario.matching import AddressesOf, compiled
from ipsecsim.scenario.name_table import Names
from ipsecsim.scenario.network import Network
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.scalars import TEXT, YES_NO
from ipsecsim.scenario.selection import check_rule
from ipsecsim.scenario.sentence import parse
from ipsecsim.scenario.tree import Map, Text, one_or_many
from ipsecsim.stack.firewall import Rule, Ruleset, Verdict


@dataclass(frozen=True, slots=True)
class Preset:
    """Rules ready made, in the words of a file."""

    default: str
    rules: tuple[str, ...] = ()


PRESETS: Mapping[str, Preset] = {
    "open": Preset("accept"),
    "blocks_ipsec": Preset("accept", ("drop proto=udp port=500|4500", "drop proto=esp|ah")),
    "allows_nat_t_only": Preset("drop", ("accept proto=udp port=500|4500",)),
    "web_only": Preset("drop", ("accept proto=tcp dport=80|443", "accept proto=udp|tcp dport=53")),
    # the blunt kind, which takes "packet too big" for an attack: nothing passes, answers and errors neither
    "filters_icmp": Preset("accept", ("drop proto=icmp|icmpv6",)),
}
"""What people meet, by the names of the topology language."""


def read_firewall(
    network: Network, names: Names, node: str, settings: Map, problems: Problems
) -> Ruleset | None:
    """How a node filters; None when it does not. Notes rules that name interfaces which are not there."""
    said = settings.map("firewall")
    if said is None and network.kinds[node] != "firewall":
        return None
    firewall = said or Map(settings.place)
    preset = word_of(firewall, schema.FIREWALL, "preset")
    own = one_or_many(firewall.get("rules"))
    for text in own:
        _check_interfaces(text, sorted(network.interfaces[node]), node, problems)
    default = optional(TEXT, firewall, "default")
    made = Ruleset(
        (*(_rule(text, names, network.addresses_of) for text in own), *_ready_made(preset)),
        Verdict(PRESETS[preset].default if default is None else default),
        value(YES_NO, firewall, schema.FIREWALL, "stateful"),
        value(YES_NO, firewall, schema.FIREWALL, "log"),
    )
    if own and made.keeps_state and made.rules[-1].refuses_all:
        problems.remark("this rule refuses answers too; write  default: drop", own[-1].place)
    return made


def with_preset(ruleset: Ruleset, preset: str) -> Ruleset:
    """The same rules of one's own, before those of another preset, whose default holds too."""
    own = (rule for rule in ruleset.rules if not rule.ready_made)
    return replace(ruleset, rules=(*own, *_ready_made(preset)), default=Verdict(PRESETS[preset].default))


@cache
def _ready_made(preset: str) -> tuple[Rule, ...]:
    nobody = Names({}, {}, {}, {}, {})  # these rules name no nodes
    texts = (Text(rule, Place(preset)) for rule in PRESETS[preset].rules)
    return tuple(replace(_rule(text, nobody, lambda _: None), ready_made=True) for text in texts)


def _rule(text: Text, names: Names, addresses_of: AddressesOf) -> Rule:
    verdict, conditions = check_rule(text, names)
    return Rule(Verdict(verdict), compiled(conditions, addresses_of), text.value)


def _check_interfaces(text: Text, known: list[str], node: str, problems: Problems) -> None:
    for pair in parse(text).pairs:
        for word in pair.values if pair.key.text in ("in", "out") else ():
            if word.text not in known:
                message = f"{node} has no interface '{word.text}'; known: {', '.join(known)}"
                problems.add(message, text.at(word.offset))
