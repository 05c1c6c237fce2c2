"""Two clients of one NAT and one server, in transport mode: what becomes of the first when the second comes."""

from dataclasses import replace

from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import PacketOpened
from ipsecsim.net.events import EchoReplyReceived
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.scenario import read
from ipsecsim.wire import icmpv4, ipv4


def played(*, refuses: bool) -> Run:
    run = Run(read("two_clients_one_nat_transport"))
    server = run.world.simulator.nodes["server"]
    assert isinstance(server, VpnGateway)
    server.ipsec.settings = replace(server.ipsec.settings, refuses_conflicts=refuses)
    return run.run()


def answered(run: Run, name: str) -> list[int]:
    return [event.sequence for _, event in run.recorder.of(EchoReplyReceived) if event.name == name]


def test_a_server_that_refuses_the_second_keeps_the_first() -> None:
    run = played(refuses=True)
    assert answered(run, "first") == [1, 2, 3, 4, 5, 6]
    assert answered(run, "second") == []


def test_a_server_that_takes_the_second_sends_it_what_was_for_the_first() -> None:
    """The newer SA takes all that goes to the NAT: the first works, the second joins, the first dies."""
    run = played(refuses=False)
    assert answered(run, "second") == [1, 2]
    assert answered(run, "first") == [
        1,
        2,
        3,
    ]  # the third was asked while IKE still spoke with the second client
    at_dave = [opened.inner for row, opened in run.recorder.of(PacketOpened) if row.node == "dave"]
    assert len(at_dave) > len(answered(run, "second"))
    assert {packet[ipv4.HEADER_LENGTH] for packet in at_dave} == {icmpv4.IcmpType.ECHO_REPLY}
