"""The Security Association Database: inbound by SPI, outbound by policy (RFC 4301 4.4.2)."""

from ipsecsim.ipsec.association import Direction, SecurityAssociation
from ipsecsim.ipsec.fragment_ports import FragmentPorts
from ipsecsim.ipsec.selector import Flow, any_matches_outbound
from ipsecsim.wire.numbers import IpProtocol


class SecurityAssociationDatabase:
    """All SAs of a node. Of several that would do for a packet, the newest is used."""

    def __init__(self) -> None:
        self._inbound: dict[int, dict[int, SecurityAssociation]] = {IpProtocol.ESP: {}, IpProtocol.AH: {}}
        self._outbound: dict[str, list[SecurityAssociation]] = {}
        self.opened_fragments = FragmentPorts()  # of SAs with stateful fragment checking

    def add(self, sa: SecurityAssociation) -> None:
        """Take up an SA."""
        if sa.parameters.direction is Direction.INBOUND:
            self._inbound[sa.parameters.protocol][sa.spi] = sa
        else:
            self._outbound.setdefault(sa.parameters.policy, []).append(sa)

    def inbound(self, protocol: int, spi: int) -> SecurityAssociation | None:
        """The SA that a received SPI names, of ESP or AH. Addresses are not looked at (RFC 4301 4.1)."""
        return self._inbound[protocol].get(spi)

    def outbound(self, policy: str, flow: Flow, dscp: int) -> SecurityAssociation | None:
        """The SA of a PROTECT rule that may carry `flow`, or None while there is none.

        The peer may have narrowed an SA to less than its rule, so the SA's own selectors are asked
        (RFC 4301 5.1, step 3). An SA for the packet's DSCP goes before one for any.
        """
        fitting = [
            sa
            for sa in reversed(self._outbound.get(policy, ()))
            if any_matches_outbound(sa.parameters.selectors, flow)
        ]
        for sa in fitting:
            if dscp in sa.parameters.dscp_values:
                return sa
        return next((sa for sa in fitting if not sa.parameters.dscp_values), None)

    def sending(
        self, protocol: int, source: bytes, destination: bytes, spi: int | None, ports: tuple[int, int] | None
    ) -> list[SecurityAssociation]:
        """The outbound SAs that may have made a packet with these outer addresses and, in UDP, ports.

        `spi` None is any: an error about ESP in UDP seldom quotes as much.
        """
        seen = (protocol, source, destination, ports)

        def made(sa: SecurityAssociation) -> bool:
            each = sa.parameters
            return seen == (each.protocol, each.source, each.destination, each.udp_ports)

        return [sa for sa in self._all_outbound() if spi in (None, sa.spi) and made(sa)]

    def towards(self, destination: bytes) -> list[SecurityAssociation]:
        """The outbound SAs with this outer destination."""
        return [sa for sa in self._all_outbound() if sa.parameters.destination == destination]

    def chooses_by_dscp(self, policy: str) -> bool:
        """Does it take more than the flow to choose an SA of this rule?"""
        return any(sa.parameters.dscp_values for sa in self._outbound.get(policy, ()))

    def find(
        self, direction: Direction, spi: int, protocol: int, destination: bytes | None = None
    ) -> SecurityAssociation | None:
        """The SA with this SPI; None when it is not here.

        `destination`, the outer address, tells outbound SAs apart whose receivers chose the same SPI.
        """
        if direction is Direction.INBOUND:
            return self._inbound[protocol].get(spi)
        for sa in self._all_outbound():
            parameters = sa.parameters
            if (sa.spi, parameters.protocol) == (spi, protocol) and destination in (
                None,
                parameters.destination,
            ):
                return sa
        return None

    def remove(
        self, direction: Direction, spi: int, protocol: int, destination: bytes | None = None
    ) -> SecurityAssociation | None:
        """Take an SA out and return it; None when it is not here. `destination` as in `find`."""
        sa = self.find(direction, spi, protocol, destination)
        if sa is not None:
            self.forget(sa)
        return sa

    def forget(self, sa: SecurityAssociation) -> bool:
        """Take out this very SA; False when it is not here any more."""
        if sa.parameters.direction is Direction.INBOUND:
            by_spi = self._inbound[sa.parameters.protocol]
            if by_spi.get(sa.spi) is not sa:
                return False
            del by_spi[sa.spi]
            return True
        candidates = self._outbound.get(sa.parameters.policy, [])
        if sa not in candidates:
            return False
        candidates.remove(sa)
        return True

    def all(self) -> list[SecurityAssociation]:
        """Every SA, outbound first, in the order of installation."""
        return self._all_outbound() + [sa for by_spi in self._inbound.values() for sa in by_spi.values()]

    def _all_outbound(self) -> list[SecurityAssociation]:
        return [sa for candidates in self._outbound.values() for sa in candidates]
