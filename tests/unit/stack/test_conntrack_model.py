"""The table of connections against a model of a few lines, for many orders of packets and pauses."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ipsecsim.base.address import pack
from ipsecsim.stack.conntrack import ConnectionTable
from ipsecsim.stack.match import Seen, State
from ipsecsim.stack.nat.behaviour import MINUTE
from ipsecsim.wire import icmpv4, ipv4, udp

HOSTS = (pack("10.1.0.2"), pack("10.2.0.2"))
LIFETIME = {17: 5 * MINUTE, 1: MINUTE, 50: 5 * MINUTE}

# protocol, from the first host?, number (of a port, or of a ping), is it a reply?, minutes since the last one
PACKETS = st.lists(
    st.tuples(
        st.sampled_from((17, 1, 50)), st.booleans(), st.integers(1, 2), st.booleans(), st.integers(0, 3)
    ),
    max_size=30,
)


def packet(protocol: int, *, forth: bool, number: int, reply: bool) -> bytes:
    source, destination = HOSTS if forth else HOSTS[::-1]
    body = {
        17: udp.build(source, destination, *((number, 9) if forth else (9, number)), b"data"),
        1: icmpv4.Echo(reply, number, 1, b"").emit(),
        50: bytes(16),
    }[protocol]
    return ipv4.build(source, destination, protocol, body)


class Model:
    """Conversations by name; who began it, when somebody spoke last, and whether both have spoken."""

    def __init__(self) -> None:
        self.known: dict[object, tuple[bool, int, bool]] = {}

    def state(self, protocol: int, now: int, *, forth: bool, number: int, reply: bool) -> State | None:
        asker = forth is not reply  # of a ping: an answer belongs to who asked
        name = {17: (17, number), 1: (1, number, asker), 50: (50,)}[protocol]
        began, last, answered = self.known.get(name, (forth, -1, False))
        if last >= 0 and now - last >= LIFETIME[protocol]:
            del self.known[name]
            began, last, answered = forth, -1, False
        if last < 0:
            if protocol == 1 and reply:
                return None
            self.known[name] = (forth, now, False)
            return State.NEW
        answered = answered or forth is not began
        self.known[name] = (began, now, answered)
        return State.ESTABLISHED if answered else State.NEW


@settings(max_examples=200, deadline=None)
@given(PACKETS)
def test_it_says_of_every_packet_what_the_model_says(packets):
    table, model, now = ConnectionTable(), Model(), 0
    for protocol, forth, number, reply, pause in packets:
        now += pause * MINUTE
        seen = Seen(packet(protocol, forth=forth, number=number, reply=reply))
        table.let_through(seen, table.look_up(seen, now), now)
        assert seen.state is model.state(protocol, now, forth=forth, number=number, reply=reply)
