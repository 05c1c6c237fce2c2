"""Nodes and links with both IP versions, and what the stack hands to the IPsec engine."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.association import Mode
from ipsecsim.net.apps.ping import Ping
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.nodes import Host
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.engine import HostStack
from ipsecsim.stack.interface import Address, Interface
from ipsecsim.wire import ipv6
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.test_modes import OUTER, Ends


class Pair:
    """Two hosts on a wire, each with an address of both versions."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.simulator = Simulator("versions", self.recorder.tell)
        self.wire = Link("wire", self.simulator, LinkOptions())
        self.hosts = [self._host(number) for number in (1, 2)]

    def _host(self, number: int) -> Host:
        address = Interface(
            "eth", pack(f"10.1.0.{number}"), 24, others=(Address(pack(f"fd00::{number}"), 64),)
        )
        return Host(f"h{number}", self.simulator, [(address, self.wire)])

    def ping(self, destination: bytes) -> int:
        """How many of two requests were answered."""
        node = self.hosts[0]
        application = Ping(node, destination, count=2)
        self.simulator.plan(0, node, lambda: node.run(application))
        while self.simulator.step():
            pass
        return application.result.received


@pytest.mark.parametrize("version", [4, 6])
def test_a_link_carries_both_versions(version):
    pair = Pair()
    destination = pair.hosts[1].address_of(version)
    assert destination is not None
    assert pair.ping(destination) == 2


def test_the_name_of_a_node_means_its_first_address_and_perhaps_none_of_a_version():
    host = Pair().hosts[0]
    assert host.address == host.address_of(4) == pack("10.1.0.1")
    assert host.address_of(6) == pack("fd00::1")
    simulator = Simulator("alone")
    link = Link("wire", simulator, LinkOptions())
    alone = Host("h", simulator, [(Interface("eth", pack("10.1.0.1"), 24), link)])
    assert alone.address_of(6) is None


def test_nobody_on_the_link_has_that_ipv6_address():
    pair = Pair()
    assert pair.ping(pack("fd00::3")) == 0
    assert [event.reason for _, event in pair.recorder.of(PacketDropped)] == [DropReason.NO_NEIGHBOUR] * 2


@pytest.mark.conf("AH-15")
@pytest.mark.parametrize("protocol", ["ah", "esp"])
def test_a_fragment_header_that_stands_alone_is_gone_before_the_seal_is_checked(protocol):
    ends = Ends(protocol, "sha256" if protocol == "ah" else "aes256gcm16", Mode.TRANSPORT, 6, 6)
    packet = ends.packet()
    sent = ends.protect(packet)
    header = ipv6.fragment_header(FragmentFields(sent[ipv6.NEXT_HEADER], 0, more=False, identification=9))
    atomic = ipv6.build(*OUTER[6], IpProtocol.FRAGMENT, header + sent[40:])
    stack = HostStack([Interface("wan", OUTER[6][1], 64)], SeededEntropy("atomic"), forwards=False)
    stack.protocols |= {IpProtocol.AH, IpProtocol.ESP}
    (arrived,) = stack.receive("wan", atomic, 0)
    assert ends.receive(arrived.packet) == [packet]
