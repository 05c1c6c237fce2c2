"""From what a topology says about IPsec to SPD rules, SAs by hand and options of the engines below."""

from ipsecsim.base.entropy import Entropy
from ipsecsim.crypto.catalogue import WORDS, Integrity
from ipsecsim.ike.narrowing import to_selectors
from ipsecsim.ipsec.association import Direction, Mode, SaParameters
from ipsecsim.ipsec.lifetime import ENDLESS, Lifetime, Limits
from ipsecsim.ipsec.options import Cut, SaOptions
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import ANY_PORT, Selector
from ipsecsim.ipsec.tunnel import EcnEntry, OuterDontFragment
from ipsecsim.scenario import model, model_ipsec
from ipsecsim.wire.ike.numbers import TsType
from ipsecsim.wire.ike.traffic_selector import TrafficSelector
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol

IKE_RULE = "ike"
"""What the rule is called that lets a node's own IKE pass, where the node writes no SPD."""

EVERYWHERE = {size: (bytes(size), b"\xff" * size) for size in (4, 16)}


def connections(node: model.NodeSpec) -> list[model_ipsec.ConnectionSpec]:
    """None on a gateway that no tunnel and no connection speaks of: it lets nothing across."""
    return [] if node.ipsec is None else list(node.ipsec.connections.values())


def policy_name(
    node: model.NodeSpec, connection: model_ipsec.ConnectionSpec, child: model_ipsec.ChildSpec
) -> str:
    """The SPD rule of a child: its own name, with the connection's in front where two children share it."""
    owners = [each for each in connections(node) if child.name in each.children]
    return child.name if len(owners) == 1 else f"{connection.name}/{child.name}"


def traffic_selectors(specs: tuple[model_ipsec.SelectorSpec, ...]) -> tuple[TrafficSelector, ...]:
    """Selectors in the form in which IKE negotiates them."""
    return tuple(
        TrafficSelector(
            TsType.IPV4_ADDR_RANGE if len(each.start) == 4 else TsType.IPV6_ADDR_RANGE,
            each.protocol,
            each.start_port,
            each.end_port,
            each.start,
            each.end,
        )
        for each in specs
    )


def policies(node: model.NodeSpec) -> list[Policy]:
    """A node's SPD: as written by hand; else IKE passes in clear, then the children in the file's order.

    All else is discarded by default (RFC 4301 4.4.1).
    """
    if node.ipsec is not None and node.ipsec.rules is not None:
        return [_rule(node, node.ipsec, rule) for rule in node.ipsec.rules]
    ike = tuple(
        Selector((own, own), EVERYWHERE[len(own)], IpProtocol.UDP, (port, port), ANY_PORT)
        for own in _outside(node)
        for port in (IKE_PORT, NAT_T_PORT)
    )
    made = [Policy(IKE_RULE, PolicyAction.BYPASS, ike)]
    for connection in connections(node):
        for child in connection.children.values():
            if not child.policies:
                continue
            name = policy_name(node, connection, child)
            if connection.pools:
                made.append(Policy(name, PolicyAction.PROTECT, (), follows_sas=True))
                continue
            selectors = to_selectors(traffic_selectors(child.local_ts), traffic_selectors(child.remote_ts))
            made.append(Policy(name, PolicyAction.PROTECT, selectors))
    return made


def _outside(node: model.NodeSpec) -> list[bytes]:
    """The addresses at which a node speaks IKE. A packet of somebody else's IKE is traffic like any other."""
    own = [address for each in node.interfaces if not each.protected for address, _ in each.addresses]
    own += [address for connection in connections(node) for address in connection.local_addrs]
    return list(dict.fromkeys(own))


def _rule(node: model.NodeSpec, ipsec: model_ipsec.IpsecSpec, rule: model_ipsec.RuleSpec) -> Policy:
    name, is_trap = rule.policy, True
    if rule.child is not None:
        connection = ipsec.connections[rule.child[0]]
        child = connection.children[rule.child[1]]
        name, is_trap = policy_name(node, connection, child), child.start_action != "none"
    return Policy(
        name,
        PolicyAction(rule.action),
        rule.selectors,
        direction=Direction(rule.direction) if rule.direction else None,
        negotiable=rule.child is not None,
        only_with_sa=not is_trap,
    )


def by_hand(node: model.NodeSpec, entropy: Entropy) -> list[SaParameters]:
    """A node's SAs by hand, inbound ones first. Keys with a name are drawn from `entropy`, for all nodes alike."""
    if node.ipsec is None:
        return []
    rules = node.ipsec.rules or ()
    made: list[SaParameters] = []
    for sa in sorted(node.ipsec.sas.values(), key=lambda each: each.direction == "out"):
        serves = [rule for rule in rules if sa.name in rule.sas]
        selectors = tuple(selector for rule in serves for selector in rule.selectors)
        made.append(_parameters(sa, serves[0].policy if serves else sa.name, selectors, entropy))
    return made


def _parameters(
    sa: model_ipsec.ManualSaSpec, policy: str, selectors: tuple[Selector, ...], entropy: Entropy
) -> SaParameters:
    encryption, integrity = sa.key.encryption, sa.key.integrity
    if sa.key.name:
        stream = entropy.once(f"key by hand {sa.key.name}")
        encryption = stream.bytes(sa.suite.encryption_key_length)
        integrity = stream.bytes(sa.suite.integrity_key_length)
    parameters = SaParameters(
        Direction(sa.direction),
        sa.spi,
        sa.source,
        sa.destination,
        sa.suite,
        encryption,
        integrity,
        selectors,
        policy,
        mode=Mode(sa.mode),
        udp_ports=(NAT_T_PORT, NAT_T_PORT) if sa.encap else None,
        extended_sequence=sa.extended_sequence,
        sequence=sa.sequence,
    )
    return options(sa).apply(parameters)


def options(spec: model_ipsec.ChildSpec | model_ipsec.ManualSaSpec) -> SaOptions:
    """What a child, or an SA by hand, says about this end alone."""
    cut = None
    if isinstance(spec, model_ipsec.ManualSaSpec):
        dont_fragment, soft = OuterDontFragment(spec.dont_fragment), Limits()
    else:
        cut = Cut(_integrity("sha256"), _integrity("sha256_96")) if spec.sha256_96 else None
        dont_fragment = OuterDontFragment.COPY if spec.copy_df else OuterDontFragment.CLEAR
        soft = Limits(spec.rekey_time or ENDLESS, spec.rekey_bytes or ENDLESS, spec.rekey_packets or ENDLESS)
    hard = Limits(spec.life_time or ENDLESS, spec.life_bytes or ENDLESS, spec.life_packets or ENDLESS)
    return SaOptions(
        replay_window=spec.replay_window,
        lifetime=Lifetime(soft, hard),
        dont_fragment=dont_fragment,
        dscp=None if spec.copy_dscp in ("out", "yes") else 0,
        copy_dscp_in=spec.copy_dscp in ("in", "yes"),
        ecn=EcnEntry.NORMAL if spec.copy_ecn else EcnEntry.COMPATIBILITY,
        tfc_length=spec.tfc_padding,
        cut=cut,
    )


def _integrity(word: str) -> Integrity:
    row = WORDS[word].row
    assert isinstance(row, Integrity)  # noqa: S101 - only words of such rows are asked for
    return row
