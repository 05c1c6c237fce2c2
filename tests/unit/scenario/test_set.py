"""`set PATH VALUE` in a script: what it changes while the run goes on, and what it refuses."""

import pytest

from ipsecsim.base.address import unpack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import SECOND, ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.events import SaMoved
from ipsecsim.net.events import InterfaceChanged, SettingChanged
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.scenario import expanded_yaml, read
from ipsecsim.stack.nat.events import MappingMade
from tests.unit.scenario.examples import SITES

LINE = """
name: line
nodes: {alice: {kind: host}, box: {kind: router}, bob: {kind: host}}
links:
  left: {endpoints: [alice, box]STATE}
  right: {endpoints: [box, bob], from: {bob: {delay: 3ms}}}
script:
  - do: ping alice bob count=5 interval=1s
"""


def line(*script: str, state: str = "") -> Run:
    text = LINE.replace("STATE", state) + "".join(f"  - {each}\n" for each in script)
    run = Run(read(text)).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def trips(run: Run) -> list[int]:
    return run.world.pings["ping"].round_trips


def test_a_delay_changes_both_ways_but_where_a_direction_has_one_of_its_own():
    run = line("{at: 1500ms, do: set links.right.delay 10ms}")
    usual = ms(0.6) + ms(3)
    assert trips(run) == [usual, usual, *[usual + ms(10) - ms(0.2)] * 3]
    (event,) = (event for _, event in run.recorder.of(SettingChanged))
    assert event == SettingChanged("links.right.delay", "10ms")


def test_one_direction_alone_can_be_changed_whether_the_file_speaks_of_it_or_not():
    run = line("{at: 1500ms, do: [set links.right.from.bob.delay 0s, set links.left.from.box.delay 1ms]}")
    assert trips(run)[0] - trips(run)[-1] == ms(3) - ms(0.8)


def test_loss_begins_and_ends():
    run = line("{at: 1500ms, do: set links.left.loss 100%}", "{at: 3500ms, do: set links.left.loss 0%}")
    assert run.world.pings["ping"].received == 3
    lost = [event.reason for _, event in run.recorder.of(PacketDropped)]
    assert lost == [DropReason.LINK_LOSS] * 2


def test_losses_in_bursts_are_one_value_in_quotes():
    (entry,) = read(SITES + "script: [do: 'set links.wan.loss \"gemodel p=5% r=20%\"']\n").script
    assert entry.do[0].value.turns_bad == 5
    again = read(expanded_yaml(read(SITES + "script: [do: 'set links.wan.loss \"gemodel p=5% r=20%\"']\n")))
    assert again.script[0].do == entry.do


def test_a_rate_makes_packets_take_their_time():
    run = line("{at: 1500ms, do: set links.left.rate 84kbit}")
    assert trips(run)[-1] - trips(run)[0] == 2 * ms(8)


def test_a_smaller_mtu_is_known_to_the_interfaces():
    run = line(
        "{at: 1500ms, do: set links.right.mtu 600}", "{at: 2s, do: ping alice bob size=1000 name=big df=yes}"
    )
    assert run.world.pings["big"].received == 0
    assert DropReason.IP_DF_TOO_BIG in [event.reason for _, event in run.recorder.of(PacketDropped)]


def test_a_link_that_goes_down_takes_its_interfaces_with_it():
    run = line("{at: 1500ms, do: set links.right.state down}", "{at: 3500ms, do: set links.right.state up}")
    assert run.world.pings["ping"].received == 3
    seen = [(row.node, row.turn.at, event.is_up) for row, event in run.recorder.of(InterfaceChanged)]
    assert seen == [
        ("box", ms(1500), False),
        ("bob", ms(1500), False),
        ("box", ms(3500), True),
        ("bob", ms(3500), True),
    ]


def test_a_link_may_be_down_from_the_start():
    run = line("{at: 2500ms, do: set links.left.state up}", state=", state: down")
    assert run.world.pings["ping"].received == 2
    assert "state: down" in expanded_yaml(run.topology)


def test_what_is_on_the_way_when_the_link_goes_down_is_lost():
    run = line("{at: 1000100us, do: set links.left.state down}")
    reasons = {row.node: event.reason for row, event in run.recorder.of(PacketDropped)}
    assert reasons["box"] is DropReason.LINK_DOWN


def test_an_interface_that_was_unplugged_stays_down_when_its_link_comes_back():
    text = LINE.replace("STATE", "").replace(
        "alice: {kind: host}", "alice: {kind: host, interfaces: {left: {}}}"
    )
    script = (
        "{at: 1500ms, do: set nodes.alice.interfaces.left.state down}",
        "{at: 2s, do: set links.left.state down}",
        "{at: 3s, do: set links.left.state up}",
    )
    run = Run(read(text + "".join(f"  - {each}\n" for each in script))).run()
    assert run.world.pings["ping"].received == 2
    assert not run.world.simulator.nodes["alice"].stack.interfaces["left"].up


def test_a_link_that_changes_while_a_node_is_down_is_known_when_it_comes_up():
    run = line(
        "{at: 1500ms, do: crash box}",
        "{at: 2s, do: set links.right.state down}",
        "{at: 2500ms, do: restart box}",
        "{at: 3500ms, do: set links.right.state up}",
    )
    assert run.world.pings["ping"].received == 3
    assert run.now >= 4 * SECOND


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("set links.wna.delay 5ms", "14:13: 'links.wna.delay': there is no links.wna; did you mean 'wan'?"),
        (
            "set links.wan.dealy 5ms",
            "14:13: 'links.wan.dealy': links.wan has no key 'dealy'; did you mean 'delay'?",
        ),
        ("set links.wan.delay 5", "14:29: duration '5' lacks its unit"),
        ("set links.wan.state off", "14:29: unknown word 'off'"),
        ("set nodes.west.kind host", "14:13: nodes.west.kind cannot change while the run goes on"),
        ("set links.wan.net 10.9.0.0/24", "14:13: links.wan.net cannot change while the run goes on"),
        ("set links.wan.delay", "14:9: 'set' takes PATH and VALUE"),
    ],
)
def test_what_cannot_be_set_is_refused_in_its_place(sentence, message):
    with pytest.raises(ConfigError) as caught:
        read(f"{SITES}script:\n  - do: {sentence}\n")
    assert str(caught.value).splitlines()[0].startswith(f"<text>:{message}")


def test_a_counted_link_is_all_of_its_members():
    text = """
name: star
nodes: {pc: {kind: host, count: 3}, hub: {kind: router}}
links: {access: [pc, hub]}
script: [do: set links.access.delay 5ms, do: set links.access2.delay 7ms]
"""
    first, second = read(text).script
    assert [each.path[1] for each in first.do] == ["access1", "access2", "access3"]
    assert [each.path[1] for each in second.do] == ["access2"]


HOME = """
name: home
until: 12s
nodes: {pc: {kind: host}, box: {kind: nat}, internet: {kind: router}, server: {kind: host}}
links: {lan: [pc, box], dsl: {endpoints: [box, internet], net: 192.0.2.0/24}, web: [internet, server]}
script:
  - do: ping pc server count=4 interval=1s
  - {at: 1500ms, do: set links.dsl.addrs.box 192.0.2.77}
"""


def test_a_nat_that_gets_another_address_outside_forgets_and_goes_on():
    run = Run(read(HOME)).run()
    assert check(run.recorder, run.world.simulator) == []
    assert run.world.results["ping"].received == 4
    outside = [unpack(event.outside[0]) for _, event in run.recorder.of(MappingMade)]
    assert outside == ["192.0.2.1", "192.0.2.77"]


def test_a_router_that_gets_another_address_is_found_by_its_neighbours():
    run = line("{at: 1500ms, do: set links.left.addrs.box 10.1.0.99}")
    assert run.world.results["ping"].received == 5
    assert unpack(run.world.simulator.nodes["box"].address) == "10.1.0.99"


def test_who_is_spoken_to_by_name_is_found_at_the_new_address_and_not_at_the_old_one():
    run = line(
        "{at: 1500ms, do: set links.right.addrs.bob 10.2.0.9}",
        "{at: 5s, do: ping alice bob name=new}",
    )
    assert run.world.results["ping"].received == 2
    assert run.world.results["new"].received == 1
    assert DropReason.NO_NEIGHBOUR in [event.reason for _, event in run.recorder.of(PacketDropped)]


def test_an_address_stays_through_a_crash():
    run = line(
        "{at: 1s, do: set links.left.addrs.box 10.1.0.99}",
        "{at: 1500ms, do: crash box}",
        "{at: 1700ms, do: restart box}",
    )
    assert unpack(run.world.simulator.nodes["box"].address) == "10.1.0.99"
    assert run.world.results["ping"].received >= 4


SITES_MOVE = (
    SITES
    + """
until: 8s
script:
  - {at: 1s, do: ping alice bob}
  - {at: 2s, do: set links.wan.addrs.west 192.0.2.9}
  - {at: 4s, do: ping alice bob name=again}
"""
)


@pytest.mark.parametrize(("mobike", "received"), [("yes", 1), ("no", 0)])
def test_a_gateway_that_gets_another_address_is_known_there_with_mobike_alone(mobike, received):
    """Without, it has to begin anew, and its peer expects it at the old address."""
    run = Run(read(SITES_MOVE, settings=[("tunnels.net.mobike", mobike)])).run()
    assert check(run.recorder, run.world.simulator) == []
    assert [run.world.results[name].received for name in ("ping", "again")] == [1, received]
    assert bool(run.recorder.of(SaMoved)) is bool(received)


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("set links.dsl.addrs.box 10.9.0.1", "10.9.0.1 is not in the network of dsl, 192.0.2.0/24"),
        ("set links.dsl.addrs.pc 192.0.2.5", "pc is not on dsl"),
        ("set links.dsl.addrs.box here", "'here' is no address"),
    ],
)
def test_an_address_that_can_not_be_is_refused(sentence, message):
    with pytest.raises(ConfigError) as caught:
        read(HOME.replace("set links.dsl.addrs.box 192.0.2.77", sentence))
    assert message in str(caught.value)


CHAIN = """
name: chain
nodes:
  alice: {kind: host}
  one: {kind: router}
  two: {kind: router}
  three: {kind: router}
  bob: {kind: host}
links:
  left: [alice, one]
  first: {endpoints: [one, two], net: 192.0.2.0/24, addrs: {two: 192.0.2.2}}
  second: [two, three]
  other: {endpoints: [one, three], delay: 5ms}
  right: [three, bob]
script:
  - do: ping alice bob count=6 interval=1s
"""


def chain(*script: str) -> Run:
    run = Run(read(CHAIN + "".join(f"  - {each}\n" for each in script))).run()
    assert check(run.recorder, run.world.simulator) == []
    return run


def test_routers_that_learned_a_way_know_of_a_next_hop_that_moved_and_moved_on():
    """The other way is closed, so that all goes by router two."""
    run = chain(
        "do: set links.other.state down",
        "{at: 1500ms, do: set links.first.addrs.two 192.0.2.77}",
        "{at: 2500ms, do: set links.first.addrs.two 192.0.2.78}",
        "{at: 3500ms, do: set links.first.addrs.two 192.0.2.2}",
    )
    assert run.world.results["ping"].received == 6


def test_a_router_that_comes_up_again_goes_by_the_links_and_addresses_that_there_are_now():
    run = chain(
        "do: set links.other.state down",
        "{at: 1500ms, do: set links.first.addrs.two 192.0.2.77}",
        "{at: 2200ms, do: crash one}",
        "{at: 2500ms, do: restart one}",
    )
    assert run.world.results["ping"].received == 6


def test_packets_go_another_way_when_a_link_on_theirs_goes_down():
    run = chain("{at: 1500ms, do: set links.other.state down}", "{at: 3500ms, do: set links.other.state up}")
    assert run.world.results["ping"].received == 6
    assert len(set(trips(run))) == 2
