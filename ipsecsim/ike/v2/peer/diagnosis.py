"""Who knows why: what is wrong between the two ends is told by the side that can see it, and by no other."""

from typing import TYPE_CHECKING

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.errors import RemoteError
from ipsecsim.ike.errors import IkeError
from ipsecsim.ike.events import Diagnosed
from ipsecsim.wire.ike.numbers import ExchangeType, name_of

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def tell(sa: "IkeSa", diagnosis: Diagnosis, detail: str) -> None:
    """This is what is wrong with the connection of an SA."""
    if sa.tap is not None:
        sa.tap(Diagnosed(diagnosis, sa.connection.name, detail))


def tell_of(sa: "IkeSa", error: RemoteError, exchange: int) -> None:
    """The diagnosis of a refusal, if it has one, and the exchange that it came up in."""
    if isinstance(error, IkeError) and error.diagnosis is not None:
        tell(sa, error.diagnosis, f"{name_of(ExchangeType, exchange)}: {error}")
