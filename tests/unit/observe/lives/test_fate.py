"""What became of each frame."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.observe.lives.fate import Fate, fates
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.packets.packet_summary import summary
from ipsecsim.wire.numbers import IpProtocol
from tests.support.builders import World, two_gateways
from tests.support.by_hand import install
from tests.unit.observe.replayed import with_more


def of(world: World, node: str, words: str) -> Fate:
    """The fate of the first frame that `node` sent and whose summary holds `words`."""
    found = fates(Lives(world.recorder))
    for row, sent in world.recorder.of(FrameSent):
        if row.node == node and words in summary(sent.packet):
            return found[sent.frame]
    raise AssertionError(f"{node} sent no {words}")


def test_every_frame_has_one(ping_world: World) -> None:
    assert list(fates(Lives(ping_world.recorder))) == [
        event.frame for _, event in ping_world.recorder.of(FrameSent)
    ]


def test_the_way_of_a_ping(ping_world: World) -> None:
    assert of(ping_world, "a", "ICMP").words == "forwarded and held until there is an SA"
    assert of(ping_world, "west", "IKE_SA_INIT").words == "forwarded"
    assert of(ping_world, "internet", "IKE_SA_INIT").words == "delivered to ike"
    assert of(ping_world, "internet", "ESP").words == "taken out of ESP and forwarded"
    assert of(ping_world, "east", "ICMP").words == "delivered to icmp"
    assert of(ping_world, "b", "ICMP").words == "forwarded and sealed in ESP"


def test_the_way_of_a_ping_that_ah_protects() -> None:
    world = install(two_gateways(), IpProtocol.AH, "sha256")
    world.ping("a", "b")
    world.run()
    assert of(world, "a", "ICMP").words == "forwarded and signed in AH"
    assert of(world, "internet", "AH").words == "taken out of AH and forwarded"


def test_a_packet_that_is_sealed_piece_by_piece_is_told_of_once(ping_world: World) -> None:
    """Cut first, then sealed: two seals in one turn."""
    (row, sealed), *_ = ping_world.recorder.of(PacketSealed)
    again = with_more(ping_world.recorder, row.sequence, sealed)
    frame = next(
        event.frame
        for arrived, event in ping_world.recorder.of(FrameArrived)
        if arrived.turn.number == ping_world.recorder.of(PacketSealed)[1][0].turn.number
    )
    assert (
        fates(Lives(again))[frame].words
        == fates(Lives(ping_world.recorder))[frame].words
        == "forwarded and sealed in ESP"
    )


def test_fragments_wait_until_the_last_one_completes_them(ping_world: World) -> None:
    assert of(ping_world, "east", "first fragment").words == "kept until its other fragments come"
    last = of(ping_world, "east", "from byte 2960")
    assert last.words == "put together from its fragments and delivered to icmp"


def test_a_fragmented_esp_packet_is_put_together_before_it_is_opened() -> None:
    """RFC 4303 3.4.1. A router on the way has cut it: nobody told the sender how small the next link is."""
    world = two_gateways(wan_mtu=1400)
    world.ping("a", "b", size=1350)
    world.run()
    whole = of(world, "internet", "a fragment from byte 1376 of ESP")
    assert whole.words.startswith("put together from its fragments and taken out of ESP")


def test_a_dropped_packet_has_its_reason() -> None:
    world = two_gateways()
    world.send("a", "b", destination_port=7)
    world.ping("a", "internet", at=SECOND)
    world.run()
    closed = of(world, "east", "10.2.0.2, UDP")
    assert (closed.node, closed.drop) == ("b", DropReason.PORT_CLOSED)
    assert closed.words == "dropped: no application listens there (PORT_CLOSED)"
    refused = of(world, "a", "10.1.0.2 > 192.0.2.2")
    assert (refused.node, refused.drop) == ("west", DropReason.SPD_NO_MATCH)
    assert refused.words.startswith("forwarded and dropped: ")


def test_a_message_that_ike_does_not_accept() -> None:
    world = two_gateways(psk_east=b"another")
    world.ping("a", "b")
    auth = of(world.run(), "internet", "IKE_AUTH request")
    assert auth.drop is DropReason.AUTH_FAILED
    assert auth.words == (
        "delivered to ike and refused there: the peer did not prove its identity (AUTH_FAILED)"
    )


def test_a_frame_in_flight_when_the_recording_ends() -> None:
    world = two_gateways()
    world.ping("a", "b")
    world.simulator.step()
    assert fates(Lives(world.recorder)) == {1: Fate()}
    assert Fate().words == "still on its way when the recording ended"
