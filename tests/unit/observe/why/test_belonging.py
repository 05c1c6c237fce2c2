"""Which tunnel a finding is about: by name, by rule, or by the packets between its ends."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.ike.events import Diagnosed
from ipsecsim.ipsec.events import PolicyMatched
from ipsecsim.net.turn import Turn
from ipsecsim.observe.record import Record
from ipsecsim.observe.why import Finding, Side, is_about
from ipsecsim.wire import ipv4
from tests.support.why import found_in

WEST, EAST, NORTH, NAT = (pack(f"192.0.2.{number}") for number in (1, 2, 3, 4))
SIDES = [
    Side("west", "to east", frozenset({"net"}), frozenset({WEST})),
    Side("east", "to west", frozenset({"net"}), frozenset({EAST})),
]
GATEWAYS = {WEST, EAST, NORTH}


def finding(node: str, event: TraceEvent, rules: tuple[tuple[str, str], ...] = ()) -> Finding:
    return Finding(Diagnosis.SPD_ORDER, (Record(0, Turn(1, 0, node, "frame", 0), event),), "it is so", rules)


def dropped(source: bytes, destination: bytes) -> PacketDropped:
    return PacketDropped(DropReason.LINK_LOSS, ipv4.build(source, destination, 50, b"esp and so on"))


@pytest.mark.parametrize(
    ("node", "event", "is_it"),
    [
        ("west", Diagnosed(Diagnosis.STALE_SA, "to east", ""), True),
        ("east", Diagnosed(Diagnosis.STALE_SA, "to east", ""), False),  # east's own name for it is another
        ("west", Diagnosed(Diagnosis.STALE_SA, "", ""), False),
        ("east", PolicyMatched("net", "protect", "out"), True),
        ("east", PolicyMatched("other", "protect", "out"), False),
        ("north", PolicyMatched("net", "protect", "out"), False),
        ("hop", dropped(WEST, EAST), True),
        ("hop", dropped(EAST, WEST), True),
        ("hop", dropped(NAT, EAST), True),  # nobody's address: a NAT may stand in front of west
        ("hop", dropped(NORTH, EAST), False),
        ("hop", dropped(NORTH, NAT), False),
        ("hop", PacketDropped(DropReason.IP_MALFORMED, b"\x45\x00"), False),
    ],
)
def test_rows_name_the_tunnel_or_they_do_not(node, event, is_it):
    assert is_about(finding(node, event), SIDES, GATEWAYS) is is_it


def test_a_finding_may_say_itself_which_rule_it_concerns():
    event = dropped(NORTH, NAT)
    assert is_about(finding("hop", event, (("west", "net"),)), SIDES, GATEWAYS)
    assert not is_about(finding("hop", event, (("north", "net"),)), SIDES, GATEWAYS)


def test_what_ike_says_again_and_again_is_one_finding():
    (told,) = found_in("proposal_mismatch")
    assert told.diagnosis is Diagnosis.NO_COMMON_TRANSFORM
    assert len(told.rows) == 2
