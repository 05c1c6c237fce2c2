"""Every key of a topology file: its kind, what it means, and its default. One table a thing.

The keys under `ipsec:` and `tunnels:` stand in `schema_ipsec`.
"""

import dataclasses
import re
from typing import Any

from ipsecsim.net.impairments import Burst
from ipsecsim.scenario import units
from ipsecsim.scenario.clock import PATTERN, read_clock
from ipsecsim.scenario.kinds import (
    PARAMETER,
    Field,
    ListOf,
    MapOf,
    OneOrMany,
    Scalar,
    Short,
    Table,
    name,
    word,
)
from ipsecsim.scenario.lab_pki import KIND_WORDS, Flaw
from ipsecsim.scenario.problems import Mistake, Problems
from ipsecsim.scenario.scalars import ADDRESSES, ANY_TEXT, BYTES, TEXT, WHOLE, YES_NO
from ipsecsim.scenario.schema_ipsec import IPSEC, TUNNEL, TUNNEL_OR_ENDS
from ipsecsim.scenario.swanctl.values import prefix
from ipsecsim.scenario.tree import Map, Node, Text
from ipsecsim.scenario.verbs import SCRIPT_VERBS
from ipsecsim.stack.nat.behaviour import Timeouts

KINDS = ("host", "laptop", "router", "gateway", "nat", "firewall", "attacker")
"""Node kinds of the language. What each can do stands in `net.nodes`."""

KINDS_ELSEWHERE = {
    **dict.fromkeys(("client", "pc", "server", "workstation", "endpoint", "node"), "host"),
    **dict.fromkeys(("vpn", "vpn_gateway", "vpn-gateway", "gw", "ipsec"), "gateway"),
    **dict.fromkeys(("notebook", "mobile", "phone"), "laptop"),
}
"""What others call them. (A switch is none of them: a link with three ends or more is a LAN.)"""

NAME = Scalar(name, {"type": "string", "pattern": r"^[a-z][a-z0-9_-]*$"})
SENTENCE = Scalar(str, {"type": "string"})
ACTION = Scalar(str, {"type": "string", "pattern": rf"^\s*({PARAMETER}|{'|'.join(SCRIPT_VERBS)})(\s|$)"})
DURATION = Scalar(
    units.duration,
    {
        "type": ["string", "integer"],
        "pattern": rf"^({PARAMETER}|[0-9.]+ ?(ns|us|ms|s|m|min|h|d))$",
        "maximum": 0,
    },
)
RATE = Scalar(units.rate, {"type": "string", "pattern": rf"^({PARAMETER}|[0-9.]+ ?[kmg]?bit)$"})
CHANCE = Scalar(units.percentage, {"type": "string", "pattern": rf"^({PARAMETER}|[0-9.]+ ?%)$"})
PREFIX = Scalar(prefix, {"type": "string", "pattern": rf"^({PARAMETER}|[0-9a-fA-F.:]+(/[0-9]+)?)$"})
COUNT = Scalar(
    lambda text: units.whole(text, 1, 10_000),
    {"type": ["integer", "string"], "pattern": rf"^{PARAMETER}$", "minimum": 1, "maximum": 10_000},
)
MTU = Scalar(
    lambda text: units.whole(text, 68, 65535),
    {"type": ["integer", "string"], "pattern": rf"^{PARAMETER}$", "minimum": 68, "maximum": 65535},
)
UP_DOWN = word("up", "down")
CLOCK = Scalar(read_clock, {"type": "string", "pattern": rf"^({PARAMETER}|{PATTERN})$"})


def _loss(text: str) -> float | Burst:
    """'1%', or losses in bursts: 'gemodel p=1% r=25%', where h and k are netem's chances to get through."""
    first, *rest = text.split() or [""]
    if first != "gemodel":
        return units.percentage(text)
    chances = {"r": 100.0, "h": 0.0, "k": 100.0}
    for part in rest:
        key, _, value = part.partition("=")
        if key not in ("p", "r", "h", "k"):
            raise Mistake(f"gemodel has no '{key}'; known: p, r, h, k", text.index(part))
        chances[key] = units.percentage(value)
    if "p" not in chances:
        raise Mistake("gemodel needs p=, the chance to turn bad; write gemodel p=1% r=25%")
    return Burst(chances["p"], chances["r"], (100 - chances["h"], 100 - chances["k"]))


LOSS = Scalar(_loss, {"type": "string", "pattern": rf"^({PARAMETER}|[0-9.]+ ?%|gemodel .*)$"})

_IMPAIRMENTS = {
    "delay": Field(DURATION, "how long a packet travels", "200us"),
    "jitter": Field(DURATION, "how much the delay varies", "0s"),
    "distribution": Field(word("uniform", "normal", "pareto", "paretonormal"), "how it varies", "normal"),
    "loss": Field(LOSS, "chance to lose a packet, or gemodel p=1% r=25%", "0%"),
    "duplicate": Field(CHANCE, "chance to send a packet twice", "0%"),
    "corrupt": Field(CHANCE, "chance to flip a bit", "0%"),
    "reorder": Field(CHANCE, "chance that a packet overtakes", "0%"),
    "rate": Field(RATE, "bits a second; left out: as fast as you like"),
    "limit": Field(WHOLE, "packets that may wait (netem's word)", "1000"),
    "queue": Field(BYTES, "bytes that may wait; left out: `limit` alone decides"),
}
_SYNONYMS = {
    "latency": "write delay:",
    "bandwidth": "write rate:",
    "speed": "write rate:",
    "subnet": "write net:",
    "prefix": "write net:",
    "nodes": "write endpoints:",
    "ends": "write endpoints: (ends: is for tunnels)",
}

LINK = Table(
    "link",
    {
        "endpoints": Field(
            ListOf(TEXT, "a link is a list of its ends", "[west, east]", least=2),
            "two nodes, or more for a LAN; node:interface names one",
        ),
        **_IMPAIRMENTS,
        "mtu": Field(MTU, "the largest IP packet", "1500"),
        "priority": Field(word("dscp", "none"), "who goes first", "none"),
        "state": Field(UP_DOWN, "up or down", "up"),
        "net": Field(
            OneOrMany(PREFIX), "its network, or one of each IP version; left out: the next free one"
        ),
        "addrs": Field(
            MapOf(OneOrMany(TEXT), by_node=True),
            "addresses by node; left out: gateways and routers first, then hosts",
        ),
        "from": Field(
            MapOf(Table("direction", _IMPAIRMENTS, like="link"), by_node=True),
            "what differs for packets from one node",
        ),
    },
    elsewhere=_SYNONYMS,
    required=("endpoints",),
)
LINK_OR_ENDS = Short(LINK, ListOf(TEXT, least=2), is_list=True)

_MAPPING = word("endpoint_independent", "address_dependent", "address_and_port_dependent")
NAT_PRESETS = ("none", "home_router", "symmetric", "full_cone", "carrier_grade", "hotel")
NAT_TIMES = Timeouts.__slots__
NAT = Table(
    "nat",
    {
        "preset": Field(word(*NAT_PRESETS), "what people own", "home_router"),
        "mapping": Field(_MAPPING, "RFC 4787 4.1"),
        "filtering": Field(_MAPPING, "RFC 4787 5"),
        "ports": Field(word("preserving", "random", "sequential", "contiguous"), "how it picks ports"),
        "timeouts": Field(
            Table("timeouts", {key: Field(DURATION, "idle time") for key in NAT_TIMES}),
            "when it forgets",
        ),
        "pool": Field(ADDRESSES, "outside addresses"),
        "ports_per_host": Field(WHOLE, "most mappings of one host inside"),
        "hairpinning": Field(YES_NO, "inside to inside through the outside address"),
        "esp": Field(word("drop", "one_flow", "by_spi"), "what it does with protocol 50"),
        "ah": Field(word("drop", "pass"), "what it does with protocol 51"),
        "ike_helper": Field(YES_NO, "meddles with port 500"),
        "forward": Field(
            ListOf(SENTENCE),
            "what is led inside: proto=udp port=500|4500 to=server, or dst=198.51.100.9 to=server",
        ),
        "exempt": Field(ListOf(SENTENCE), "what is not translated: dst=10.2.0.0/24"),
        "outside": Field(
            TEXT, "the link outside; left out: the one called outside, else towards the nearest router"
        ),
    },
)
FIREWALL_PRESETS = ("open", "blocks_ipsec", "allows_nat_t_only", "web_only", "filters_icmp")
FIREWALL = Table(
    "firewall",
    {
        "preset": Field(word(*FIREWALL_PRESETS), "rules ready made, tried after its own", "open"),
        "default": Field(
            word("accept", "drop", "reject"), "when no rule matches; left out: as the preset has it"
        ),
        "stateful": Field(YES_NO, "answers may pass where no rule says otherwise", "yes"),
        "log": Field(YES_NO, "tell what was dropped", "no"),
        "rules": Field(
            ListOf(SENTENCE, "rules are a list", "- accept proto=udp port=500|4500"),
            "first match wins: accept proto=udp port=500|4500",
        ),
    },
)

NODE_FIELDS: dict[str, Field] = {
    "kind": Field(word(*KINDS, elsewhere=KINDS_ELSEWHERE), "a set of defaults", "host"),
    "interfaces": Field(
        MapOf(Table("interface", {"state": Field(UP_DOWN, "up or down", "up")})),
        "its interfaces by name; left out: one for each link, named after it",
    ),
    "routes": Field(
        ListOf(SENTENCE, "routes is a list", "[10.7.0.0/16 via=alice]"), "own routes: 10.7.0.0/16 via=alice"
    ),
    "nat": Field(Short(NAT, word(*NAT_PRESETS), is_list=False), "address translation"),
    "firewall": Field(Short(FIREWALL, word(*FIREWALL_PRESETS), is_list=False), "packet filter"),
    "ipsec": Field(IPSEC, "swanctl's keys"),
    "cert": Field(
        word(*(flaw.value for flaw in Flaw)),
        "what is wrong with its certificate",
        "good",
    ),
    "clock": Field(CLOCK, "its wall clock at the start: 2026-07-01, or +1h if it is wrong"),
    "device": Field(
        word("ideal", "phone", "laptop", "home_router", "server", "server_aes"),
        "what work costs it: so far what it takes to open ESP and AH, at home_router and server",
        "ideal",
    ),
    "mss_clamp": Field(TEXT, "TCP's segment size cut: auto, a size, or no", "no"),
    "tap": Field(OneOrMany(TEXT), "links an attacker listens on"),
}
_NODE_ELSEWHERE = {
    "type": "write kind:",
    "image": "there are no containers here; kind: says what it is",
    "ip": "addresses stand at the link: links: {wan: {addrs: {west: 10.1.0.1}}}",
    "address": "addresses stand at the link: links: {wan: {addrs: {west: 10.1.0.1}}}",
    "addrs": "addresses stand at the link: links: {wan: {addrs: {west: 10.1.0.1}}}",
    "connections": "it belongs under 'ipsec:'",
    "secrets": "it belongs under 'ipsec:'",
    "spd": "it belongs under 'ipsec:'",
    "sas": "it belongs under 'ipsec:'",
}
NODE = Table(
    "node",
    {
        **NODE_FIELDS,
        "count": Field(COUNT, "so many of them, numbered from 1"),
        "group": Field(TEXT, "the group it belongs to"),
    },
    elsewhere=_NODE_ELSEWHERE,
)
GROUP = Table(
    "group",
    {"nodes": Field(ListOf(TEXT, "a group's nodes are a list"), "its members"), **NODE_FIELDS},
    elsewhere=_NODE_ELSEWHERE,
    like="node",
)


def without(table: Table, *keys: str) -> Table:
    """A table for `defaults:`, which can't hold what every one of a kind must say for itself."""
    fields = {key: member for key, member in table.fields.items() if key not in keys}
    return dataclasses.replace(table, fields=fields, required=())


DEFAULTS = Table(
    "defaults",
    {
        "node": Field(without(NODE, "count", "group"), "for every node"),
        "link": Field(without(LINK, "endpoints", "net", "addrs", "from"), "for every link"),
        "tunnel": Field(without(TUNNEL, "ends"), "for every tunnel"),
    },
)


class Expectations:
    """A mapping of SUBJECT: CLAIM, where `where:` stands for itself."""

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """Only the shape; subjects and claims are read where names are known."""
        if not isinstance(node, Map):
            problems.add(f"{path} is a mapping; write {{ping alice bob: received 1}}", node.place)
            return
        for key, entry in node.entries.items():
            if not isinstance(entry.node, Text):
                problems.add(f"the claim about '{key}' is one text", entry.node.place)

    def json(self) -> dict[str, Any]:
        """Free keys, text values."""
        return {"type": "object", "additionalProperties": ANY_TEXT}


CLAIMS = Expectations()
STEP = Table(
    "script",
    {
        "at": Field(
            Scalar(
                lambda text: units.duration(text.removeprefix("+")),
                {
                    "type": ["string", "integer"],
                    "pattern": rf"^({PARAMETER}|\+?[0-9.]+ ?(ns|us|ms|s|m|min|h|d))$",
                },
            ),
            "when: 5s, or +1s after the entry before; left out: with the entry before",
        ),
        "when": Field(CLAIMS, "the first moment all of this holds"),
        "do": Field(OneOrMany(ACTION), "what happens: ping alice bob count=3"),
        "expect": Field(CLAIMS, "what must hold then"),
        "within": Field(DURATION, "how long it may take"),
    },
    subject="a script entry",
    hint=lambda text: f"a script entry says what to do; write  - do: {text.value or 'ping alice bob'}",
)


class Settings:
    """Paths and values, as in `set:`. Both are checked where they are applied."""

    def check(self, node: Node, path: str, problems: Problems) -> None:
        """Only that it is a mapping."""
        if not isinstance(node, Map):
            problems.add(f"{path} is a mapping; write {path}: {{links.wan.delay: 10ms}}", node.place)

    def json(self) -> dict[str, Any]:
        """Free keys and values."""
        return {"type": "object"}


RESERVED_PARAMETERS = ("seed", "at", "until", "record")


def parameter(text: str) -> str:
    """A parameter's name. Raises Mistake."""
    if text in RESERVED_PARAMETERS:
        raise Mistake(f"'{text}' is no name for a parameter; it already means something")
    if not text.replace("_", "a").isalnum() or not text[:1].islower() or text != text.lower():
        raise Mistake(f"'{text}': a parameter is small letters, digits and _, and begins with a letter")
    return text


def _node_hint(key: str, text: Text) -> str:
    kind = text.value if text.value in KINDS else "host"
    return f"write  {key}: {{kind: {kind}}}"


def _ends(text: Text) -> str:
    """What somebody wrote as ends, as a list: 'west - east' as '[west, east]'."""
    ends = re.findall(r"[a-z][a-z0-9_-]*(?::\w+)?", text.value) or ["west"]
    return f"[{', '.join(ends if len(ends) > 1 else [*ends, 'east'])}]"


def _link_hint(key: str, text: Text) -> str:
    return f"a link is a list of its ends; write  {key}: {_ends(text)}"


def _tunnel_hint(key: str, text: Text) -> str:
    return f"a tunnel is a list of its two ends; write  {key}: {_ends(text)}"


TOP = Table(
    "top",
    {
        "name": Field(NAME, "what it is called"),
        "extends": Field(TEXT, "a topology this one changes"),
        "story": Field(TEXT, "what it is about"),
        "look_for": Field(OneOrMany(TEXT), "what to watch"),
        "seed": Field(TEXT, "where chance begins", "1"),
        "until": Field(DURATION, "when to stop; left out: when all is quiet"),
        "ip": Field(word("4", "6", "both"), "IP versions of the links", "4"),
        "params": Field(MapOf(TEXT, parameter), "words to fill in, used as $word"),
        "matrix": Field(
            MapOf(ListOf(TEXT, "an axis is a list of values"), str),
            "axes: parameters or paths, with their values",
        ),
        "defaults": Field(DEFAULTS, "for every node, link or tunnel"),
        "groups": Field(MapOf(GROUP), "nodes with something in common"),
        "pki": Field(word(*KIND_WORDS), "the kind of key that the lab's certificates are for", "ecdsa256"),
        "nodes": Field(MapOf(NODE, hint=_node_hint, example="alice: {kind: host}"), "what there is"),
        "links": Field(MapOf(LINK_OR_ENDS, hint=_link_hint, example="wan: [west, east]"), "what joins it"),
        "tunnels": Field(
            MapOf(TUNNEL_OR_ENDS, hint=_tunnel_hint, example="net: [west, east]"),
            "IPsec, said once for both ends",
        ),
        "script": Field(ListOf(STEP, "script is a list of entries", "- do: ping alice bob"), "what happens"),
        "expect": Field(OneOrMany(CLAIMS), "what should come of it"),
        "set": Field(Settings(), "changes by path: nodes.east.ipsec.secrets.ike-net.secret: tpyo"),
    },
    subject="the file",
    required=("name", "nodes", "links"),
)
