"""What protection costs in bytes."""

import pytest

from ipsecsim.observe.overhead import overhead
from tests.support.builders import two_gateways

SUITES = {
    "gcm": ({"esp": "aes256gcm16"}, 140),
    "cbc": ({"esp": "aes256-sha256", "ike": "aes256-sha256-ecp256"}, 156),
    "gcm in UDP": ({"encap": True}, 148),
}


@pytest.mark.parametrize(("options", "wire"), SUITES.values(), ids=SUITES)
def test_the_parts_sum_to_what_is_on_the_wire(options: dict[str, object], wire: int) -> None:
    world = two_gateways(**options)  # type: ignore[arg-type]
    world.ping("a", "b", count=2)
    rows = overhead(world.run().recorder)
    assert [(row.node, row.policy, row.packets) for row in rows] == [("west", "net", 2), ("east", "net", 2)]
    for row in rows:
        assert (row.inner, row.wire) == (2 * 84, 2 * wire)
        assert sum(row.parts.values()) == row.added == row.wire - row.inner
