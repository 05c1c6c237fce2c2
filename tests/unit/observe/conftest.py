"""One run that most tests of this package look at. They read it only."""

import pytest

from ipsecsim.base.instant import SECOND
from tests.support.builders import World, two_gateways


@pytest.fixture(scope="session")
def ping_world() -> World:
    """One ping brings the tunnel up, three in all; a large one; then the tunnel goes down."""
    world = two_gateways()
    world.ping("a", "b", count=2)
    world.ping("a", "b", at=2 * SECOND, size=3000)
    world.terminate("west", at=20 * SECOND)
    return world.run()
