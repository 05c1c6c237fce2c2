"""Programs are fed whatever strangers like to send to their ports, and errors about packets that never were."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.experiment.run import Run
from ipsecsim.net.application import Listener
from ipsecsim.net.node import Node
from ipsecsim.scenario import read
from ipsecsim.stack.actions import DatagramArrived, IcmpErrorArrived
from ipsecsim.wire import icmpv4, icmpv6, ipv4, ipv6, udp
from ipsecsim.wire.numbers import IpProtocol

WORLD = """\
name: programs
ip: both
nodes: {alice: {kind: host}, bob: {kind: host}}
links: {cable: {endpoints: [alice, bob], loss: 100%}}
script:
  - do: [flow alice bob, voice alice bob, dns alice bob, trace alice bob, send alice bob, ping alice bob ip=6]
"""
STRANGER = pack("203.0.113.66")
MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def nodes() -> list[Node]:
    """Two hosts in the middle of everything, with nobody watching."""
    run = Run(read(WORLD))
    for _ in range(20):
        run.step()
    made = list(run.world.simulator.nodes.values())
    for node in made:
        node.tap = node.stack.tap = None
    return made


def listeners(node: Node) -> list[Listener]:
    return [program for programs in node._listeners.values() for program in programs]


@MANY
@given(payload=st.binary(max_size=80), head=st.sampled_from([b"", b"\x80\x00", b"\x12\x34\x81\x00\x00\x01"]))
def test_no_payload_does_harm_to_who_listens(nodes, payload, head):
    everybody = [program for node in nodes for program in listeners(node)]
    assert len(everybody) == 4
    before = [program.result.received for program in everybody]
    for program in everybody:
        for port in (53, 5004, 40000):
            data = head + payload
            arrived = DatagramArrived(STRANGER, port, STRANGER, program.port, data, bytes(28) + data)
            program.on_datagram(arrived, 10**9)
    assert [program.result.received for program in everybody] == before


QUOTED = st.one_of(
    st.binary(max_size=100),
    st.builds(
        lambda protocol, data, cut: ipv4.build(STRANGER, STRANGER, protocol, data)[:cut],
        st.sampled_from([IpProtocol.UDP, IpProtocol.ICMP, IpProtocol.ESP, 200]),
        st.binary(max_size=20),
        st.integers(0, 40),
    ),
    st.builds(
        lambda protocol, data, cut: ipv6.build(bytes(16), bytes(16), protocol, data)[:cut],
        st.sampled_from([0, 43, 44, 60, IpProtocol.UDP, IpProtocol.ICMPV6]),
        st.binary(max_size=20),
        st.integers(0, 60),
    ),
)


@MANY
@given(quoted=QUOTED, kind=st.integers(0, 255), code=st.integers(0, 15), rest=st.integers(0, 0xFFFFFFFF))
def test_no_error_about_a_strange_packet_is_taken_for_one_of_ours(nodes, quoted, kind, code, rest):
    for node in nodes:
        before = [program.result.refused for program in node.applications]
        for error in (icmpv4.IcmpError(kind, code, quoted, rest), icmpv6.IcmpError(kind, code, quoted, rest)):
            assert node._icmp_error_arrived(IcmpErrorArrived(STRANGER, error)) == []
        assert [program.result.refused for program in node.applications] == before


@pytest.mark.parametrize("mtu", [0, 1, 27, 28, 29, 67, 68, 1499, 1500, 1 << 31])
def test_a_trace_is_sent_smaller_by_lies_but_not_for_ever(nodes, mtu):
    """Whoever sees a probe can lie about it, and each lie that is news draws one probe more."""
    alice, bob = nodes
    (trace,) = [program for program in alice.applications if program.name == "trace"]
    before = trace.result.sent
    for _ in range(100):
        port = 33434 + trace.result.sent
        segment = udp.build(alice.address, bob.address, trace._source_port, port, bytes(8))
        quoted = ipv4.build(alice.address, bob.address, IpProtocol.UDP, segment)
        error = icmpv4.IcmpError(icmpv4.IcmpType.DESTINATION_UNREACHABLE, 4, quoted, mtu)
        alice._icmp_error_arrived(IcmpErrorArrived(STRANGER, error))
    assert trace.result.sent - before <= 1
