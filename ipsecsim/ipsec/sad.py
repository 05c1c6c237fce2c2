"""The Security Association Database: inbound by SPI, outbound by policy (RFC 4301 4.4.2)."""

from ipsecsim.ipsec.association import Direction, SecurityAssociation
from ipsecsim.ipsec.selector import Flow, any_matches_outbound
from ipsecsim.wire.numbers import IpProtocol


class SecurityAssociationDatabase:
    """All SAs of a node. For one policy the newest outbound SA is used."""

    def __init__(self) -> None:
        self._inbound: dict[int, dict[int, SecurityAssociation]] = {IpProtocol.ESP: {}, IpProtocol.AH: {}}
        self._outbound: dict[str, list[SecurityAssociation]] = {}

    def add(self, sa: SecurityAssociation) -> None:
        """Take up an SA."""
        if sa.parameters.direction is Direction.INBOUND:
            self._inbound[sa.parameters.protocol][sa.spi] = sa
        else:
            self._outbound.setdefault(sa.parameters.policy, []).append(sa)

    def inbound(self, protocol: int, spi: int) -> SecurityAssociation | None:
        """The SA that a received SPI names, of ESP or AH. Addresses are not looked at (RFC 4301 4.1)."""
        return self._inbound[protocol].get(spi)

    def outbound(self, policy: str, flow: Flow) -> SecurityAssociation | None:
        """The SA of a PROTECT rule that may carry `flow`, or None while there is none.

        The peer may have narrowed an SA to less than its rule, so the SA's own selectors are asked
        (RFC 4301 5.1, step 3).
        """
        for sa in reversed(self._outbound.get(policy, ())):
            if any_matches_outbound(sa.parameters.selectors, flow):
                return sa
        return None

    def remove(
        self, direction: Direction, spi: int, protocol: IpProtocol = IpProtocol.ESP
    ) -> SecurityAssociation | None:
        """Take an SA out and return it; None when it is not here."""
        if direction is Direction.INBOUND:
            return self._inbound[protocol].pop(spi, None)
        for candidates in self._outbound.values():
            for sa in candidates:
                if (sa.spi, sa.parameters.protocol) == (spi, protocol):
                    candidates.remove(sa)
                    return sa
        return None

    def all(self) -> list[SecurityAssociation]:
        """Every SA, outbound first, in the order of installation."""
        outbound = [sa for candidates in self._outbound.values() for sa in candidates]
        return outbound + [sa for by_spi in self._inbound.values() for sa in by_spi.values()]
