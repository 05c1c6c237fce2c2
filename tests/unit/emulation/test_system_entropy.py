from ipsecsim.base.entropy import Entropy
from ipsecsim.emulation.system_entropy import SystemEntropy


def test_it_is_an_entropy_that_never_repeats():
    entropy: Entropy = SystemEntropy()
    drawn = {entropy.fork("nonce").bytes(16) for _ in range(100)}
    assert len(drawn) == 100
    assert {entropy.below(3) for _ in range(200)} == {0, 1, 2}
