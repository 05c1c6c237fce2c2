"""What each end decides by itself about its SAs, whoever brought the keys."""

from dataclasses import dataclass, field, replace

from ipsecsim.ipsec.association import SaParameters
from ipsecsim.ipsec.lifetime import Lifetime
from ipsecsim.ipsec.tunnel import EcnEntry, OuterDontFragment


@dataclass(frozen=True, slots=True)
class SaOptions:
    """Options of an SA that its peer need not know. What they mean is said at SaParameters."""

    replay_window: int = 32
    lifetime: Lifetime = field(default_factory=Lifetime)
    dont_fragment: OuterDontFragment = OuterDontFragment.COPY
    dscp: int | None = None
    copy_dscp_in: bool = False
    ecn: EcnEntry = EcnEntry.NORMAL
    tfc_length: int = 0

    def apply(self, parameters: SaParameters) -> SaParameters:
        """The same SA with these options."""
        return replace(
            parameters,
            replay_window=self.replay_window,
            lifetime=self.lifetime,
            dont_fragment=self.dont_fragment,
            dscp=self.dscp,
            copy_dscp_in=self.copy_dscp_in,
            ecn=self.ecn,
            tfc_length=self.tfc_length,
        )
