"""The IKE SAs of one node: which of them a message is for, and which of them are half open."""

from collections.abc import Iterator

from ipsecsim.base.entropy import Entropy
from ipsecsim.ike.config import HalfOpenLimits
from ipsecsim.ike.errors import BadSpi, NoSuchSa
from ipsecsim.ike.half_open import Beginning, HalfOpenTable
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ike.v2.sa import NO_SPI, IkeSa
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType


class SaTable:
    """Every IKE SA that is not dead, oldest first, found by the SPI that this node chose."""

    def __init__(self, limits: HalfOpenLimits, entropy: Entropy) -> None:
        self.half_open = HalfOpenTable(limits, entropy)
        self._by_spi: dict[bytes, IkeSa] = {}

    def __iter__(self) -> Iterator[IkeSa]:
        # what is done with one of them may end another
        return iter(tuple(self._by_spi.values()))

    @property
    def standing(self) -> int:
        """How many are past the point at which an initiator has proved itself."""
        return len(self._by_spi) - len(self.half_open)

    def find(self, header: IkeHeader, message: bytes, path: Path) -> IkeSa | None:
        """The SA that the SPIs name; None when the message begins a new one. Raises BadSpi, NoSuchSa."""
        if header.spi_i == NO_SPI:
            raise BadSpi("the initiator's SPI is zero")
        begins = (
            header.exchange == ExchangeType.IKE_SA_INIT and header.from_initiator and not header.is_response
        )
        if begins:
            if header.spi_r != NO_SPI or header.message_id != 0:
                raise BadSpi("an IKE_SA_INIT request with a responder SPI or a message ID")
            return self.half_open.find(Beginning.of(header.spi_i, path, message))
        sa = self._by_spi.get(_own_spi(header))
        if sa is None or sa.is_initiator is header.from_initiator or not _is_peer_spi(sa, header):
            raise NoSuchSa(f"SPIs {header.spi_i.hex()} {header.spi_r.hex()}")
        return sa

    def is_named(self, header: IkeHeader) -> bool:
        """Is there an SA with the SPI that the receiver of a message has chosen?"""
        return _own_spi(header) in self._by_spi

    def add(self, sa: IkeSa) -> None:
        """Keep an SA."""
        self._by_spi[sa.own_spi] = sa

    def file(self, sa: IkeSa, path: Path) -> None:
        """Keep the tables true: a live SA is found by its SPIs, a dead one is not."""
        if sa.state in (State.IDLE, State.DEAD):
            self._by_spi.pop(sa.own_spi, None)
        else:
            self.add(sa)
        if sa.is_initiator:
            return
        if sa.state is State.INIT_ANSWERED:
            if sa.began_as is None:
                sa.began_as = Beginning.of(sa.spi_i, path, sa.init_request)
                self.half_open.add(sa.began_as, sa)
        elif sa.began_as is not None:
            self.half_open.remove(sa.began_as)


def _is_peer_spi(sa: IkeSa, header: IkeHeader) -> bool:
    """Does the other SPI fit too? Until the responder has chosen its SPI, any may answer."""
    if sa.is_initiator:
        return sa.spi_r in (NO_SPI, header.spi_r)
    return sa.spi_i == header.spi_i


def _own_spi(header: IkeHeader) -> bytes:
    """The SPI that the receiver has chosen."""
    return header.spi_r if header.from_initiator else header.spi_i
