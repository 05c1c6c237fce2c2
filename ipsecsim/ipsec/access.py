"""Access control for what came out of an SA: an authentic packet may still lie about what it is (RFC 4301 5.2)."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Instant
from ipsecsim.ipsec import icmp_rules
from ipsecsim.ipsec.association import Direction, Mode, SecurityAssociation
from ipsecsim.ipsec.errors import Refused, Wayward
from ipsecsim.ipsec.policy import SecurityPolicyDatabase
from ipsecsim.ipsec.sad import SecurityAssociationDatabase
from ipsecsim.ipsec.selector import Flow, any_matches_inbound, flow_of
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol

MOST_ACCEPTED_FLOWS = 10_000  # remembered for an SA; an authentic peer must not fill the memory either

_LEAST_OFFSET: dict[int, int] = {IpProtocol.TCP: 16}


def check_access(
    sa: SecurityAssociation,
    sad: SecurityAssociationDatabase,
    spd: SecurityPolicyDatabase,
    inner: bytes,
    key: bytes | None,
    now: Instant,
) -> None:
    """May this packet come through this SA? Remembers the answer for the packet's flow `key`.

    Raises RemoteError: SA_SELECTOR_MISMATCH, ICMP_PAYLOAD_MISMATCH, FRAG_NO_PORTS, FRAG_OVERLAP, and
    INNER_MALFORMED for a fragment in transport mode.
    """
    flow = flow_of(inner)
    if key is None and not ip.is_whole(inner):
        flow = _fragment(sa, sad, inner, flow, now)
    if not any_matches_inbound(sa.parameters.selectors, flow):
        flow, key = _traffic_of_error(sa, inner, flow), None
    _check_rules(sa, spd, inner, flow)
    if key is None:
        return
    if sa.accepted_revision != spd.revision or len(sa.accepted_flows) >= MOST_ACCEPTED_FLOWS:
        sa.accepted_flows.clear()
        sa.accepted_revision = spd.revision
    sa.accepted_flows.add(key)


def _traffic_of_error(sa: SecurityAssociation, inner: bytes, flow: Flow) -> Flow:
    """The flow for which an ICMP error may come that the selectors do not list: that of the packets it answers.

    RFC 4301 6.2: an error from a router behind the peer, about a packet that went to the peer by this SA's twin. An
    SA whose selectors do list it needs no such look.
    """
    error = icmp_rules.error_in(inner)
    if error is None:
        detail = f"{flow}; the SA is for {_selectors(sa)}"
        raise Refused(DropReason.SA_SELECTOR_MISMATCH, detail, Wayward(sa.spi, inner))
    answering = icmp_rules.answering_flow(error)
    if (
        answering is None
        or answering.destination != flow.destination
        or not any_matches_inbound(sa.parameters.selectors, answering)
    ):
        about = "too little" if answering is None else str(answering.backwards())
        detail = f"{flow}, about {about}; the SA is for {_selectors(sa)}"
        raise Refused(DropReason.ICMP_PAYLOAD_MISMATCH, detail)
    return answering


def _check_rules(sa: SecurityAssociation, spd: SecurityPolicyDatabase, inner: bytes, flow: Flow) -> None:
    """Rules overlap, so the SA's selectors do not tell all: an ordered search must not lead to another rule.

    RFC 4301 4.4.1. Where no rule speaks of the packet the SA's selectors stand alone, since a rule for a peer by
    name is not about addresses (4.4.1.1); so do those of an SA whose rule is not in the SPD.
    """
    own = sa.parameters.policy
    policy = spd.search(flow, Direction.INBOUND)
    if policy is None or policy.name == own or not spd.has(own):
        return
    detail = f"{flow} came by an SA of rule {own}, and rule {policy.name} stands before it"
    raise Refused(DropReason.SA_SELECTOR_MISMATCH, detail, Wayward(sa.spi, inner))


def _fragment(
    sa: SecurityAssociation, sad: SecurityAssociationDatabase, inner: bytes, flow: Flow, now: Instant
) -> Flow:
    """What the selectors are to be asked about a fragment that came out of an SA (RFC 4301 7)."""
    parameters = sa.parameters
    if parameters.mode is Mode.TRANSPORT:
        raise Refused(DropReason.INNER_MALFORMED, "a fragment in transport mode (RFC 4301 4.1)")
    if not flow.is_later_fragment:
        if parameters.stateful_fragments:
            sad.opened_fragments.remember(inner, flow, now)
        return flow
    if any_matches_inbound(parameters.selectors, flow):
        if any(each.wants_no_ports for each in parameters.selectors):
            _check_offset(inner, flow)
        return flow
    if not any(each.might_mean_inbound(flow) for each in parameters.selectors):
        return flow
    first = sad.opened_fragments.first_of(inner, now) if parameters.stateful_fragments else None
    if first is None:
        raise Refused(DropReason.FRAG_NO_PORTS, f"{flow}; the SA is for {_selectors(sa)}")
    return flow.with_ports_of(first)


def _check_offset(inner: bytes, flow: Flow) -> None:
    """A later fragment must not reach into what another SA let through as the first one (RFC 4301 7.2).

    In TCP the flags are within the first 16 bytes, elsewhere ports and type are within 8. IPv6 cannot be checked
    so: its first fragment may begin with any number of extension headers.
    """
    least = _LEAST_OFFSET.get(flow.protocol, 8)
    if ip.version(inner) == 4 and ip.fragment_offset(inner) < least:
        raise Refused(DropReason.FRAG_OVERLAP, f"{flow} at {ip.fragment_offset(inner)}, not before {least}")


def _selectors(sa: SecurityAssociation) -> str:
    return "; ".join(str(selector) for selector in sa.parameters.selectors)
