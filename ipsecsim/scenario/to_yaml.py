"""A model as a topology file again, with all that the short file left out. Reading it gives the model."""

import json
import re
from collections.abc import Sequence

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import CALENDAR_START
from ipsecsim.base.visible import visible
from ipsecsim.crypto.catalogue import AhSuite
from ipsecsim.ike.config import ChildProposal
from ipsecsim.net.impairments import Burst
from ipsecsim.net.link import LinkOptions
from ipsecsim.scenario.clock import show_clock
from ipsecsim.scenario.model import (
    Condition,
    Expectation,
    LinkSpec,
    NatSpec,
    NodeSpec,
    ScriptEntry,
    Topology,
    TunnelSpec,
)
from ipsecsim.scenario.model_ipsec import (
    AuthRound,
    ChildSpec,
    ConnectionSpec,
    IpsecSpec,
    KeySpec,
    ManualChildSpec,
    ManualSaSpec,
)
from ipsecsim.scenario.model_script import AboutTunnel
from ipsecsim.scenario.params import escape
from ipsecsim.scenario.pools import show_pool
from ipsecsim.scenario.schema import NAT_TIMES
from ipsecsim.scenario.swanctl.values import show_secret, show_selector
from ipsecsim.scenario.units import show_duration, show_rate
from ipsecsim.stack.firewall import Ruleset

WIDTH = 100

_Value = str | list["_Value"] | dict[str, "_Value"]
_PLAIN = re.compile(r"[A-Za-z0-9_$+./(](?:[^\[\]{}\",#&*!|>'%@`\n\t\\:]|:(?=\w))*")

_PLAIN_LINE = re.compile(r"[A-Za-z0-9_$+./(](?:[^#\n\t\\:]|:(?=\w))*")
"""Text that needs no quotes outside [ ] and { }."""


def expanded_yaml(topology: Topology) -> str:
    """The whole topology as YAML: addresses, routes, connections and secrets at both ends, timers."""
    sections: dict[str, _Value] = {"name": topology.name}
    if topology.story:
        sections["story"] = topology.story
    if topology.look_for:
        sections["look_for"] = list(topology.look_for)
    sections["seed"] = topology.seed
    if topology.until is not None:
        sections["until"] = show_duration(topology.until)
    if topology.ip != "4":
        sections["ip"] = topology.ip
    if topology.pki != "ecdsa256":
        sections["pki"] = topology.pki
    if topology.groups:
        sections["groups"] = {name: {"nodes": list(members)} for name, members in topology.groups.items()}
    sections["nodes"] = {name: _node(node) for name, node in topology.nodes.items()}
    sections["links"] = {name: _link(link, topology) for name, link in topology.links.items()}
    written = {name: _tunnel(tunnel, topology) for name, tunnel in topology.tunnels.items() if tunnel.written}
    if written:
        sections["tunnels"] = written
    if topology.script:
        sections["script"] = [_entry(entry) for entry in topology.script]
    if topology.expect:
        sections["expect"] = [_expectation(each) for each in topology.expect]
    lines: list[str] = []
    for key, value in sections.items():
        lines += _block(key, value, 0, always=isinstance(value, dict) or key in ("script", "expect"))
    return "\n".join(lines) + "\n"


# What stands where


def _node(node: NodeSpec) -> _Value:
    made: dict[str, _Value] = {"kind": node.kind}
    routes: list[_Value] = [
        f"{route.prefix} via={unpack(route.via)}" for route in node.routes if route.via is not None
    ]
    if routes:
        made["routes"] = routes
    if node.cert != "good":
        made["cert"] = node.cert
    if node.clock != CALENDAR_START:
        made["clock"] = show_clock(node.clock)
    if node.device != "ideal":
        made["device"] = node.device
    if node.nat is not None:
        made["nat"] = _nat(node.nat)
    elif node.kind == "nat":
        made["nat"] = "none"
    if node.firewall is not None:
        made["firewall"] = _firewall(node.firewall)
    if node.ipsec is not None:
        made["ipsec"] = _ipsec(node.ipsec)
    if node.taps:
        made["tap"] = list(node.taps)
    if not all(each.up for each in node.interfaces):
        made["interfaces"] = {each.name: {"state": "up" if each.up else "down"} for each in node.interfaces}
    return made


def _nat(nat: NatSpec) -> _Value:
    behaviour, times = nat.behaviour, nat.behaviour.timeouts
    made: dict[str, _Value] = {
        "preset": nat.preset,
        "mapping": behaviour.mapping.value,
        "filtering": behaviour.filtering.value,
        "ports": behaviour.ports.value,
        "timeouts": {key: show_duration(getattr(times, key)) for key in NAT_TIMES},
        "ports_per_host": str(behaviour.most_per_host),
        "hairpinning": _yes_no(behaviour.hairpinning),
        "esp": behaviour.esp.value,
        "ah": "pass" if behaviour.ah else "drop",
        "ike_helper": _yes_no(behaviour.ike_helper),
        "outside": nat.link,
    }
    for key, texts in (
        ("pool", [unpack(address) for address in nat.pool]),
        ("forward", list(nat.forward)),
        ("exempt", list(nat.exempt)),
    ):
        if texts:
            made[key] = list(texts)
    return made


def _firewall(ruleset: Ruleset) -> _Value:
    made: dict[str, _Value] = {
        "default": ruleset.default.value,
        "stateful": _yes_no(ruleset.stateful),
        "log": _yes_no(ruleset.log),
    }
    if ruleset.rules:
        made["rules"] = [rule.text for rule in ruleset.rules]
    return made


def _ipsec(ipsec: IpsecSpec) -> _Value:
    made: dict[str, _Value] = {}
    if ipsec.connections or ipsec.rules is None:
        made["connections"] = {name: _connection(each) for name, each in ipsec.connections.items()}
        made["secrets"] = {
            name: {**_ids(secret.ids), "secret": show_secret(secret.secret)}
            for name, secret in ipsec.secrets.items()
        }
    if ipsec.connections:
        made["keepalive"] = show_duration(ipsec.keepalive)
    if ipsec.pools:
        made["pools"] = {name: {**show_pool(each)} for name, each in ipsec.pools.items()}
    if ipsec.sas:
        made["sas"] = {name: _sa(each) for name, each in ipsec.sas.items()}
    if ipsec.rules is not None:
        made["spd"] = [rule.text for rule in ipsec.rules]
    return made


def _sa(sa: ManualSaSpec) -> _Value:
    made: dict[str, _Value] = {
        "spi": f"0x{sa.spi:08x}",
        "src": unpack(sa.source),
        "dst": unpack(sa.destination),
    }
    kind = "ah_proposals" if isinstance(sa.suite, AhSuite) else "esp_proposals"
    made[kind] = f"{sa.suite.words}-esn" if sa.extended_sequence else sa.suite.words
    return made | {
        "key": _key(sa.key),
        "mode": sa.mode,
        "replay_window": str(sa.replay_window),
        "sequence": str(sa.sequence),
        "encap": _yes_no(sa.encap),
        "dont_fragment": sa.dont_fragment,
        "copy_ecn": _yes_no(sa.copy_ecn),
        "copy_dscp": sa.copy_dscp,
        "tfc_padding": str(sa.tfc_padding),
        "life_time": show_duration(sa.life_time),
        "life_bytes": str(sa.life_bytes),
        "life_packets": str(sa.life_packets),
    }


def _key(key: KeySpec) -> _Value:
    if key.name:
        return f"seed:{key.name}"
    return f"0x{(key.encryption + key.integrity).hex()}"


def _round(said: AuthRound) -> _Value:
    made: dict[str, _Value] = {"auth": said.auth, "id": said.id}
    for key, names in (("certs", said.certs), ("cacerts", said.cacerts), ("pubkeys", said.pubkeys)):
        if names:
            made[key] = list(names)
    if said.revocation != "relaxed":
        made["revocation"] = said.revocation
    return made


def _ids(ids: tuple[str, ...]) -> dict[str, _Value]:
    return {f"id-{number}": each for number, each in enumerate(ids, 1)}


def _connection(connection: ConnectionSpec) -> _Value:
    made: dict[str, _Value] = {"version": str(connection.version)}
    if connection.local_addrs:
        made["local_addrs"] = ", ".join(map(unpack, connection.local_addrs))
    if connection.remote_addrs:
        made["remote_addrs"] = ", ".join(map(unpack, connection.remote_addrs))
    if connection.vips:
        made["vips"] = ", ".join(map(unpack, connection.vips))
    if connection.pools:
        made["pools"] = list(connection.pools)
    return made | {
        "local_port": str(connection.local_port),
        "remote_port": str(connection.remote_port),
        "proposals": ", ".join(each.words for each in connection.proposals),
        "encap": _yes_no(connection.encap),
        "mobike": _yes_no(connection.mobike),
        "fragmentation": connection.fragmentation,
        "fragment_size": str(connection.fragment_size),
        "dpd_delay": show_duration(connection.dpd_delay),
        "dpd_timeout": show_duration(connection.dpd_timeout),
        "keyingtries": str(connection.keyingtries),
        "unique": connection.unique,
        "childless": connection.childless,
        "reauth_time": show_duration(connection.reauth_time),
        "rekey_time": show_duration(connection.rekey_time),
        "over_time": show_duration(connection.over_time),
        "rand_time": show_duration(connection.rand_time),
        "send_cert": connection.send_cert,
        "send_certreq": _yes_no(connection.send_certreq),
        "local": _round(connection.local),
        "remote": _round(connection.remote),
        "children": {name: _child(child) for name, child in connection.children.items()},
    }


def _child_proposals(child: ChildSpec) -> dict[str, _Value]:
    kinds: dict[str, Sequence[ChildProposal]] = {
        "esp_proposals": child.esp_proposals,
        "ah_proposals": child.ah_proposals,
    }
    return {key: ", ".join(each.words for each in kind) for key, kind in kinds.items() if kind}


def _child(child: ChildSpec) -> _Value:
    return {
        "mode": child.mode,
        "local_ts": ", ".join(map(show_selector, child.local_ts)),
        "remote_ts": ", ".join(map(show_selector, child.remote_ts)),
        **_child_proposals(child),
        "start_action": child.start_action,
        "close_action": child.close_action,
        "dpd_action": child.dpd_action,
        "rekey_time": show_duration(child.rekey_time),
        "life_time": show_duration(child.life_time),
        "rand_time": show_duration(child.rand_time),
        "rekey_bytes": str(child.rekey_bytes),
        "life_bytes": str(child.life_bytes),
        "rand_bytes": str(child.rand_bytes),
        "rekey_packets": str(child.rekey_packets),
        "life_packets": str(child.life_packets),
        "rand_packets": str(child.rand_packets),
        "inactivity": show_duration(child.inactivity),
        "replay_window": str(child.replay_window),
        "copy_df": _yes_no(child.copy_df),
        "copy_ecn": _yes_no(child.copy_ecn),
        "copy_dscp": child.copy_dscp,
        "tfc_padding": str(child.tfc_padding),
        "sha256_96": _yes_no(child.sha256_96),
        "policies": _yes_no(child.policies),
    }


def _link(link: LinkSpec, topology: Topology) -> _Value:
    made: dict[str, _Value] = {
        "endpoints": [f"{node}:{interface}" for node, interface in link.endpoints],
        "net": _one_or_list([str(net) for net in link.nets]),
        "addrs": {
            node: _one_or_list(
                [
                    unpack(address)
                    for each in topology.nodes[node].interfaces
                    if each.link == link.name
                    for address, _ in each.addresses
                ]
            )
            for node, _ in link.endpoints
        },
        "mtu": str(link.options.mtu),
        **_link_options(link.options),
    }
    if link.options.priority:
        made["priority"] = "dscp"
    if not link.options.up:
        made["state"] = "down"
    if link.from_nodes:
        made["from"] = {node: _link_options(options) for node, options in link.from_nodes.items()}
    return made


def _link_options(options: LinkOptions) -> dict[str, _Value]:
    """What may differ by direction; of the impairments only those that are there."""
    made: dict[str, _Value] = {"delay": show_duration(options.delay)}
    if options.rate is not None:
        made["rate"] = show_rate(options.rate)
    made["limit"] = str(options.queue_packets)
    if options.queue_bytes is not None:
        made["queue"] = str(options.queue_bytes)
    chances = options.impairments
    if chances.jitter:
        made |= {"jitter": show_duration(chances.jitter), "distribution": chances.distribution}
    if chances.loss:
        made["loss"] = _loss(chances.loss)
    for name in ("duplicate", "corrupt", "reorder"):
        if percent := getattr(chances, name):
            made[name] = f"{percent}%"
    return made


def _loss(loss: float | Burst) -> str:
    if not isinstance(loss, Burst):
        return f"{loss}%"
    bad, good = loss.lost
    return f"gemodel p={loss.turns_bad}% r={loss.turns_good}% h={100 - bad}% k={100 - good}%"


def _one_or_list(texts: list[str]) -> _Value:
    return texts[0] if len(texts) == 1 else list(texts)


def _tunnel(tunnel: TunnelSpec, topology: Topology) -> _Value:
    made: dict[str, _Value] = {"ends": [end.node for end in tunnel.ends]}
    if tunnel.by_hand:
        children = {child.name: _child_by_hand(child) for child in tunnel.by_hand}
        is_only = list(children) == [tunnel.name]
        return {
            **made,
            "keying": "manual",
            "child" if is_only else "children": children[tunnel.name] if is_only else children,
        }
    end = topology.nodes[tunnel.ends[0].node].ipsec
    if end is not None and f"ike-{tunnel.name}" not in end.secrets:
        # without this word both ends would get a secret
        made["auth"] = end.connections[tunnel.ends[0].connection].local.auth
    if tunnel.children != (tunnel.name,):
        made["children"] = {child: {} for child in tunnel.children}
    return made


def _child_by_hand(child: ManualChildSpec) -> _Value:
    proposals: dict[str, _Value] = {"ah_proposals": child.ah, "esp_proposals": child.esp}
    return {"mode": child.mode} | {key: words for key, words in proposals.items() if words}


def _entry(entry: ScriptEntry) -> _Value:
    made: dict[str, _Value] = {}
    if entry.at is not None:
        made["at"] = show_duration(entry.at)
    elif entry.plus is not None:
        made["at"] = f"+{show_duration(entry.plus)}"
    if entry.when:
        made["when"] = {each.subject.text: each.claim_text for each in entry.when}
    sentences: list[_Value] = []
    for action in entry.do:
        # A tunnel of several children is several actions of one sentence.
        if not sentences or sentences[-1] != action.text or not isinstance(action, AboutTunnel):
            sentences.append(action.text)
    if sentences:
        made["do"] = sentences if len(sentences) > 1 else sentences[0]
    if entry.expect:
        made["expect"] = {each.subject.text: each.claim_text for each in entry.expect}
    if entry.within is not None:
        made["within"] = show_duration(entry.within)
    return made


def _expectation(expectation: Expectation) -> _Value:
    made: dict[str, _Value] = {}
    if expectation.where:
        made["where"] = " ".join(map(_condition, expectation.where))
    made[expectation.subject.text] = expectation.claim_text
    return made


def _condition(condition: Condition) -> str:
    return f"{condition.key}{condition.operator}{'|'.join(condition.values)}"


def _yes_no(answer: bool) -> str:  # noqa: FBT001  # it is the value that is shown
    return "yes" if answer else "no"


# How YAML is written


def _block(key: str, value: _Value, indent: int, *, always: bool = False) -> list[str]:
    """`key: value` as lines; on one line in { } or [ ] where that fits and `always` does not forbid it."""
    start = " " * indent + f"{_scalar(key)}:"
    if isinstance(value, str):
        return [f"{start} {_scalar(escape(value), _PLAIN_LINE)}"]
    flow = _flow(value)
    if not value or (not always and len(start) + 1 + len(flow) <= WIDTH):
        return [f"{start} {flow}"]
    lines = [start]
    if isinstance(value, dict):
        for name, item in value.items():
            lines += _block(name, item, indent + 2)
    else:
        lines += [f"{' ' * (indent + 2)}- {_flow(item)}" for item in value]
    return lines


def _flow(value: _Value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(escape(value))


def _scalar(text: str, plain: re.Pattern[str] = _PLAIN) -> str:
    """Text as YAML, in quotes where need be; without a hint, so that it may stand anywhere."""
    if plain.fullmatch(text) and text == text.strip() and text.isprintable():
        return text
    return visible(json.dumps(text, ensure_ascii=False))  # the escapes are YAML's too
