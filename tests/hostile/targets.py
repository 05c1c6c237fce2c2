"""The table of targets. One row a target; its `share` is how many of a thousand batches it gets."""

from tests.hostile.firewall_target import WalledRouter
from tests.hostile.fragment_targets import FragmentedIke
from tests.hostile.gateway_targets import Gateway
from tests.hostile.ike_targets import ForgedIke, SealedIke
from tests.hostile.nat_target import NatRouter
from tests.hostile.proof_targets import Proofs
from tests.hostile.protecting_target import Protecting
from tests.hostile.sa_targets import Forged, Sealed
from tests.hostile.scenario_targets import Reader
from tests.hostile.stack_targets import HostTarget, RouterTarget
from tests.hostile.target import Target
from tests.hostile.wire_targets import Dissector, Parsers

TARGETS: tuple[type[Target], ...] = (
    Parsers,
    Proofs,
    Dissector,
    ForgedIke,
    SealedIke,
    FragmentedIke,
    Forged,
    Sealed,
    Protecting,
    HostTarget,
    RouterTarget,
    WalledRouter,
    NatRouter,
    Gateway,
    Reader,
)
