"""The lives of packets hold together in every topology that comes with ipsecsim, at its end and half way."""

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.scenario import names, read
from tests.support.lives import faults


@pytest.mark.parametrize("name", names())
def test_every_packet_has_one_life_and_every_life_one_end(name):
    run = Run(read(name)).run()
    assert faults(run.recorder, run.world.simulator) == []


@pytest.mark.parametrize("name", ["lossy_link", "pmtu_blackhole", "replay_attack", "gateway_crash_dpd"])
def test_they_hold_together_after_every_turn_and_grow_with_the_run(name):
    run = Run(read(name))
    growing = Lives(run.recorder)
    while run.turns < 150 and run.step():
        assert faults(run.recorder, run.world.simulator) == []
        growing.catch_up()
    again = Lives(run.recorder)
    assert [life.steps for life in growing.all] == [life.steps for life in again.all]
    assert (growing.about, growing.behind) == (again.about, again.behind)
