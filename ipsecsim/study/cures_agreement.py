"""What would have helped where two ends do not agree: each value is taken from the other end."""

from hashlib import sha256

from ipsecsim.base.trace import PacketDropped
from ipsecsim.ike.events import Diagnosed
from ipsecsim.scenario.model_ipsec import RuleSpec, SelectorSpec
from ipsecsim.scenario.swanctl.values import show_secret, show_selector
from ipsecsim.study.case import Case
from ipsecsim.wire import ip


def selectors(case: Case) -> str:
    """The end where it shows is told what the other one wants to reach, or else of what that one has."""
    both = case.children()
    if both is None or case.tunnel is None:
        return ""
    here, there = both
    child = ("children", case.tunnel.children[0])
    if set(here.local_ts) != set(there.remote_ts):
        return f"{case.path(case.end(here=True), *child, 'local_ts')}={_listed(there.remote_ts)}"
    if set(here.remote_ts) != set(there.local_ts):
        return f"{case.path(case.end(here=True), *child, 'remote_ts')}={_listed(there.local_ts)}"
    return ""


def _listed(selectors: tuple[SelectorSpec, ...]) -> str:
    shown = [show_selector(each) for each in selectors]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def proposals(case: Case) -> str:
    """The end where it shows is given the other one's proposals: those of IKE, or of the child."""
    connections, children = case.connections(), case.children()
    if connections is None or case.tunnel is None:
        return ""
    event = case.trouble.rows[0].event
    is_ike = isinstance(event, Diagnosed) and event.detail.startswith("IKE_SA_INIT")
    if is_ike:
        words = ", ".join(each.words for each in connections[1].proposals)
        return f"{case.path(case.end(here=True), 'proposals')}={words}"
    if children is None:
        return ""
    words = ", ".join(each.words for each in children[1].esp_proposals)
    return f"{case.path(case.end(here=True), 'children', case.tunnel.children[0], 'esp_proposals')}={words}"


def secret(case: Case) -> str:
    """The end where it shows is given the other one's secret."""
    there = case.end(here=False)
    ours, theirs = case.ipsec(case.node), None if there is None else case.ipsec(there.node)
    if ours is None or theirs is None:
        return ""
    known = {each.secret for each in theirs.secrets.values() if each.kind == "ike"}
    wrong = [name for name, each in ours.secrets.items() if each.kind == "ike" and each.secret not in known]
    if not wrong or len(known) != 1:
        return ""
    return f"nodes.{case.node}.ipsec.secrets.{wrong[0]}.secret={show_secret(known.pop())}"


def unguessable(case: Case) -> str:
    """Whoever proved itself has a secret of 32 bytes that is no word, and of course its true peer has it too."""
    there = case.end(here=False)
    spec = None if there is None else case.ipsec(there.node)
    names = [name for name, each in spec.secrets.items() if each.kind == "ike"] if spec is not None else []
    if there is None or len(names) != 1:
        return ""
    secret = sha256(f"{case.evidence.run.seed} no word".encode()).hexdigest()
    return f"nodes.{there.node}.ipsec.secrets.{names[0]}.secret=0x{secret}"


def identity(case: Case) -> str:
    """The other end is called by the name that is expected of it."""
    both = case.connections()
    return "" if both is None else f"{case.path(case.end(here=False), 'local', 'id')}={both[0].remote.id}"


def certificate(case: Case) -> str:
    """The other end has a certificate with nothing wrong."""
    there = case.end(here=False)
    if there is None or case.evidence.world.topology.nodes[there.node].cert == "good":
        return ""
    return f"nodes.{there.node}.cert=good"


def patience(case: Case) -> str:
    """The old IKE SA lives until it may be asked for again."""
    return f"{case.path(case.end(here=True), 'over_time')}=60s" if case.end(here=True) else ""


def trap(case: Case) -> str:
    """The rule is there before the tunnel is, and packets wait."""
    if case.tunnel is None or not case.tunnel.written:
        return ""
    return f"tunnels.{case.tunnel.name}.child.start_action=trap"


def tunnel_mode(case: Case) -> str:
    """The packet inside keeps the addresses that it was made with."""
    return (
        ""
        if case.tunnel is None or not case.tunnel.written
        else f"tunnels.{case.tunnel.name}.child.mode=tunnel"
    )


def icv_length(case: Case) -> str:
    """Whoever cuts as the old draft did, no longer does."""
    both = case.children()
    if both is None or case.tunnel is None or both[0].sha256_96 == both[1].sha256_96:
        return ""
    end = case.end(here=both[0].sha256_96)
    return f"{case.path(end, 'children', case.tunnel.children[0], 'sha256_96')}=no"


def integrity(case: Case) -> str:
    """What is encrypted is checked, too."""
    if case.tunnel is None or not case.tunnel.written or not case.tunnel.by_hand:
        return ""
    return f"tunnels.{case.tunnel.name}.child.esp_proposals={case.tunnel.by_hand[0].esp}-sha256"


def group(case: Case) -> str:
    """A rule that takes the sender's packets takes them to wherever they go, a multicast group too."""
    event = case.trouble.rows[0].event
    if not isinstance(event, PacketDropped) or not ip.is_multicast(ip.destination(event.packet)):
        return ""
    source = ip.source(event.packet)
    for tunnel in case.evidence.world.topology.tunnels.values():
        both = Case(case.evidence, case.trouble, tunnel).children()
        if tunnel.written and both is not None and any(_holds(each, source) for each in both[0].local_ts):
            far_side = "remote_ts" if tunnel.ends[0].node == case.node else "local_ts"
            return f"tunnels.{tunnel.name}.child.{far_side}=0.0.0.0/0"
    return ""


def _holds(selector: SelectorSpec, address: bytes) -> bool:
    return len(selector.start) == len(address) and selector.start <= address <= selector.end


def order(case: Case) -> str:
    """Each rule before those that speak of more than it."""
    spec = case.ipsec(case.node)
    if spec is None or not spec.rules:
        return ""
    ordered = list(spec.rules)
    for rule in spec.rules:
        wider = [at for at, other in enumerate(ordered) if other is not rule and _is_finer(rule, other)]
        if wider and wider[0] < ordered.index(rule):
            ordered.remove(rule)
            ordered.insert(wider[0], rule)
    return f"nodes.{case.node}.ipsec.spd=[{', '.join(rule.text for rule in ordered)}]"


def _is_finer(rule: RuleSpec, other: RuleSpec) -> bool:
    """Does a row of it lie within a row of the other, and is not the same?"""
    return any(row.is_within(wide) and row != wide for row in rule.selectors for wide in other.selectors)
