"""Whole topologies whose IKE messages are larger than their links: IKE cuts them, IP has nothing to cut."""

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.ike.fragment_events import IkeMessageCut
from ipsecsim.net.events import FrameSent
from ipsecsim.scenario.read import read
from ipsecsim.stack.events import PacketFragmented
from ipsecsim.wire.in_udp import ike_of

SIZES = {"4": 576, "6": 1280}


@pytest.mark.conf("FRG-04")
@pytest.mark.parametrize(
    ("version", "mtu"),
    [*(("4", mtu) for mtu in range(600, 1501, 100)), ("6", 1280), ("6", 1400), ("6", 1500)],
)
def test_without_a_word_about_sizes_no_ike_message_is_cut_by_ip(version, mtu):
    settings = [("links.wan.mtu", str(mtu)), ("ip", version), ("tunnels.net.fragment_size", "0")]
    run = Run(read("ike_fragments", settings=settings)).run()
    assert run.recorder.of(IkeMessageCut)
    assert not [event for _, event in run.recorder.of(PacketFragmented)]
    sizes = [len(event.packet) for _, event in run.recorder.of(FrameSent) if ike_of(event.packet)]
    assert max(sizes) == SIZES[version]
