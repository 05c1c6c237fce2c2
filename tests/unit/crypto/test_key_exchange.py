"""Key exchange: both ends agree, and a public value that is no member of the group never gets in."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.errors import LocalError
from ipsecsim.crypto.catalogue import GROUPS
from ipsecsim.crypto.key_exchange import InvalidPublicValue
from ipsecsim.crypto.modp_groups import EXPONENT_BITS, GENERATORS, ORDERS, PRIMES

MODP = [row for row in GROUPS.values() if row.id in PRIMES]
SAFE = [row for row in MODP if row.id not in ORDERS]
ECP = [row for row in GROUPS.values() if row.name.startswith(("ecp", "brainpool"))]


def every_group(function):
    return pytest.mark.parametrize("row", GROUPS.values(), ids=lambda row: row.name)(function)


@every_group
def test_both_ends_reach_the_same_secret(row):
    entropy = SeededEntropy("both ends")
    one, other = row.make(entropy.fork("one")), row.make(entropy.fork("other"))
    secret = one.shared_secret(other.public)
    assert secret == other.shared_secret(one.public)
    assert one.public != other.public
    assert len(one.public) == len(other.public) == row.public_length
    assert any(secret)


@every_group
def test_the_same_seed_makes_the_same_pair(row):
    assert row.make(SeededEntropy("seed")).public == row.make(SeededEntropy("seed")).public


@every_group
def test_a_public_value_of_another_length_is_refused(row):
    pair = row.make(SeededEntropy("length"))
    for wrong in (b"", pair.public[:-1], pair.public + b"\0"):
        with pytest.raises(InvalidPublicValue) as caught:
            pair.shared_secret(wrong)
        assert caught.value.reason is DropReason.KE_INVALID


@pytest.mark.conf("IK2-46")
@pytest.mark.parametrize("row", MODP, ids=lambda row: row.name)
def test_modp_values_that_give_everybody_the_same_secret_are_refused(row):
    prime, pair = PRIMES[row.id], row.make(SeededEntropy("range"))
    for value in (0, 1, prime - 1, prime, prime + 1):
        with pytest.raises(InvalidPublicValue):
            pair.shared_secret(value.to_bytes(row.public_length, "big"))
    for value in (GENERATORS[row.id], *((2, prime - 2) if row in SAFE else ())):
        assert len(pair.shared_secret(value.to_bytes(row.public_length, "big"))) == row.public_length


@pytest.mark.parametrize("row", [row for row in MODP if row not in SAFE], ids=lambda row: row.name)
def test_values_outside_a_small_subgroup_are_refused(row):
    pair = row.make(SeededEntropy("subgroup"))
    with pytest.raises(InvalidPublicValue, match="subgroup"):
        pair.shared_secret((2).to_bytes(row.public_length, "big"))


@pytest.mark.parametrize("row", SAFE, ids=lambda row: row.name)
def test_modp_values_are_padded_to_the_prime(row):
    pair = row.from_private(b"\x01")
    assert pair.public == bytes(row.public_length - 1) + b"\x02"


@pytest.mark.parametrize("row", MODP, ids=lambda row: row.name)
def test_modp_primes_have_the_length_of_their_name_and_exponents_fit(row):
    bits = int(row.name.removeprefix("modp-").partition("-")[0])
    assert PRIMES[row.id].bit_length() == bits == 8 * row.public_length
    assert EXPONENT_BITS[row.id] % 8 == 0


@pytest.mark.conf("IK2-46")
@pytest.mark.parametrize("row", ECP, ids=lambda row: row.name)
def test_points_off_the_curve_are_refused(row):
    pair, peer = row.make(SeededEntropy("a")), row.make(SeededEntropy("b"))
    half = row.public_length // 2
    off_by_one = bytearray(peer.public)
    off_by_one[-1] ^= 1
    for wrong in (
        bytes(2 * half),
        b"\xff" * 2 * half,
        bytes(off_by_one),
        peer.public[half:] + peer.public[:half],
    ):
        with pytest.raises(InvalidPublicValue):
            pair.shared_secret(wrong)


@pytest.mark.conf("IK2-46")
def test_an_all_zero_x25519_secret_is_refused():
    with pytest.raises(InvalidPublicValue, match="all zeros"):
        GROUPS[31].make(SeededEntropy("zero")).shared_secret(bytes(32))


def test_an_x25519_private_key_of_another_length_is_the_callers_mistake():
    with pytest.raises(LocalError):
        GROUPS[31].from_private(bytes(31))
