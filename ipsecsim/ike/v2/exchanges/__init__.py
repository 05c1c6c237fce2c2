"""The exchanges of IKEv2, one module each, and the table by which they are found."""

from ipsecsim.ike.v2.exchanges import (
    create_child_sa,
    ike_auth,
    ike_followup_ke,
    ike_intermediate,
    ike_sa_init,
    informational,
)
from ipsecsim.ike.v2.exchanges.exchange import Exchange
from ipsecsim.wire.ike.numbers import ExchangeType

EXCHANGES: dict[int, Exchange] = {
    ExchangeType.IKE_SA_INIT: ike_sa_init,
    ExchangeType.IKE_INTERMEDIATE: ike_intermediate,
    ExchangeType.IKE_AUTH: ike_auth,
    ExchangeType.CREATE_CHILD_SA: create_child_sa,
    ExchangeType.IKE_FOLLOWUP_KE: ike_followup_ke,
    ExchangeType.INFORMATIONAL: informational,
}
