"""What each end decides by itself about its SAs, whoever brought the keys."""

from dataclasses import dataclass, field, replace

from ipsecsim.crypto.catalogue import AhSuite, EspSuite, Integrity
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
    cut: "Cut | None" = None

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
            suite=parameters.suite if self.cut is None else self.cut.of(parameters.suite),
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """For peers that agree on one integrity algorithm and cut its ICV as another one does: `used` for `agreed`."""

    agreed: Integrity
    used: Integrity

    def of(self, suite: EspSuite | AhSuite) -> EspSuite | AhSuite:
        """The suite as it is used. The two algorithms have keys of the same length."""
        return replace(suite, integrity=self.used) if suite.integrity == self.agreed else suite
