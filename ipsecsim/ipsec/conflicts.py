"""SAs of two peers that speak of the same traffic, as they may behind NATs (RFC 3948 5).

In tunnel mode two clients may bring the same inner address; in transport mode all clients of one NAT have its
address. Either way no selector says which of them a packet is for.
"""

from ipsecsim.ipsec.association import Direction, SaParameters, SecurityAssociation
from ipsecsim.ipsec.policy import SecurityPolicyDatabase
from ipsecsim.ipsec.sad import SecurityAssociationDatabase


def rival_of(
    parameters: SaParameters, sad: SecurityAssociationDatabase, spd: SecurityPolicyDatabase
) -> SecurityAssociation | None:
    """The SA of another peer that a new one cannot be told apart from; None when there is none.

    Both ride in UDP and go the same way. A peer that comes back, or gives new keys, is no other peer.
    """
    if parameters.udp_ports is None:
        return None
    for sa in sad.all():
        standing = sa.parameters
        if (
            standing.direction is parameters.direction
            and standing.udp_ports is not None
            and _is_another_peer(parameters, standing)
            and _is_ambiguous(parameters, standing, spd)
        ):
            return sa
    return None


def _is_another_peer(one: SaParameters, other: SaParameters) -> bool:
    """By the name that each has proved; keys that came by hand have only addresses and ports."""
    if one.peer and other.peer:
        return one.peer != other.peer
    return _far_end(one) != _far_end(other)


def _far_end(sa: SaParameters) -> tuple[bytes, int]:
    source_port, destination_port = sa.udp_ports or (0, 0)
    if sa.direction is Direction.INBOUND:
        return sa.source, source_port
    return sa.destination, destination_port


def _is_ambiguous(one: SaParameters, other: SaParameters, spd: SecurityPolicyDatabase) -> bool:
    """Is there a packet for both that an ordered search through the rules gives to neither for good reason?

    Two rules may overlap on purpose, the narrow one first: that is what their order is for (RFC 4301 4.4.1). But
    when the later one's SA gets nothing at all, two peers have asked for the same.
    """
    if not any(row.overlaps(standing) for row in one.selectors for standing in other.selectors):
        return False
    order = [policy.name for policy in spd.policies]
    if one.policy == other.policy or one.policy not in order or other.policy not in order:
        return True
    earlier, later = sorted((one, other), key=lambda sa: order.index(sa.policy))
    return all(any(row.is_within(wider) for wider in earlier.selectors) for row in later.selectors)
