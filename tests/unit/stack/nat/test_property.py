"""Whatever hosts say to whomever, through any kind of NAT: an answer comes to who asked, and to nobody else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.base.instant import SECOND
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.nat.behaviour import Behaviour, Dependence, Forward, Ports
from ipsecsim.stack.nat.rewriting import flow_of
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.nat.translator import ALICE, BOB, OTHER, PEER, Translator, datagram, ping

CAROL = pack("192.168.1.12")
Endpoint = tuple[bytes, int]

behaviours = st.builds(
    Behaviour,
    mapping=st.sampled_from(Dependence),
    filtering=st.sampled_from(Dependence),
    ports=st.sampled_from(Ports),
    most_per_host=st.integers(1, 6),
    block=st.sampled_from((4, 512, 30_000)),
    forwards=st.sampled_from(
        (
            (),
            (Forward(IpProtocol.UDP, ((500, 501),), BOB),),
            (Forward(None, (), CAROL),),
        )
    ),
)
words = st.tuples(
    st.sampled_from((ALICE, BOB, CAROL)),
    st.sampled_from((500, 501, 5000, 5001, 65535)),
    st.sampled_from((PEER, OTHER)),
    st.sampled_from((9, 500)),
    st.booleans(),  # a ping, or a datagram
    st.sampled_from((0, 0, 0, 20, 61, 301)),  # seconds that have gone by before
)


@settings(max_examples=150, deadline=None)
@given(behaviours, st.lists(words, max_size=25), st.booleans())
def test_an_answer_comes_to_who_asked_and_to_nobody_else(behaviour, said, is_rebooted):
    pool = [pack("203.0.113.1"), pack("203.0.113.2")]
    translator = Translator(behaviour, addresses=pool)
    nat = translator.nat
    asked: dict[tuple[int, Endpoint, Endpoint], Endpoint] = {}  # who has asked, by what the peer saw
    owners: dict[tuple[int, Endpoint], Endpoint] = {}  # who had an outside endpoint last
    for number, (host, port, peer, peer_port, is_ping, pause) in enumerate(said):
        translator.now += pause * SECOND
        nat.expire(translator.now)
        if is_rebooted and number == 12:
            nat.reboot()
        packet = ping(host, peer, port) if is_ping else datagram(host, port, peer, peer_port)
        try:
            outside = flow_of(nat.outbound(packet, translator.now))
        except Refused:
            continue
        assert outside is not None
        assert outside.source[0] in pool
        owners[outside.protocol, outside.source] = (host, port)
        asked[outside.protocol, outside.source, outside.destination] = (host, port)
        for (protocol, seen, speaker), who in asked.items():
            answer = (
                ping(speaker[0], seen[0], seen[1], is_reply=True)
                if protocol == IpProtocol.ICMP
                else datagram(*speaker, *seen)
            )
            try:
                back = flow_of(nat.inbound(answer, translator.now))
            except Refused:
                assert (protocol, seen, speaker) != outside, "the one who asked just now gets no answer"
                continue
            assert back is not None
            if (protocol, seen, speaker) == outside:
                assert back.destination == who
            else:  # an old question: the port may be another's by now, or a rule leads there
                assert back.destination in (owners[protocol, seen], nat.mappings.led_inside(protocol, seen))
