"""Every field that a packet of the library shows says what it is for, and where that is written."""

import re

import pytest

from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.packets.meanings import MEANINGS, meaning
from ipsecsim.observe.packets.xray import xray
from ipsecsim.scenario import read
from ipsecsim.wire.layout import Field

SHOWING_ALL = (
    *("site_to_site", "site_to_site_certs", "site_to_site_ipv6", "behind_nat", "ah_tunnel", "rekey_child"),
    *("road_warriors", "ike_fragments", "pmtu_blackhole", "roaming_mobike", "nat_rebinding", "ah_and_esp"),
)
ALIKE = {"malformed", "not shown"}


def fields(layer: Field, around: str = "") -> set[tuple[str, str]]:
    found = set()
    for each in layer.children:
        found |= fields(each, each.name) if each.children else {(layer.name, each.name)}
    return found


@pytest.mark.parametrize("name", SHOWING_ALL)
def test_every_field_of_a_run_has_a_meaning(name: str) -> None:
    run = Run(read(name)).run()
    keys = Keys.of(run.recorder.rows)
    seen: set[tuple[str, str]] = set()
    for _, event in run.recorder.of(FrameSent):
        seen |= fields(xray(event.packet, keys).root)
    assert seen
    assert not [pair for pair in seen if pair[1] not in ALIKE and not meaning(*pair).sentence]


def test_rows_are_short_sentences_with_a_clause() -> None:
    for layer, rows in MEANINGS.items():
        for name, (sentence, clause) in rows.items():
            assert re.fullmatch(r"RFC \d+( \d+(\.\d+)*)?", clause), (layer, name)
            assert sentence, (layer, name)
            assert len(sentence.split()) <= 16, (layer, name)
            assert not sentence.endswith("."), (layer, name)


def test_a_quoted_packet_has_the_meanings_of_its_own_kind() -> None:
    assert meaning("Original datagram", "Protocol") == meaning("IPv4", "Protocol")
    assert meaning("Identification - Initiator (35)", "ID Type").clause == "RFC 7296 3.5"
    assert meaning("Proposal 1", "SPI").clause == "RFC 7296 3.3.1"
    assert meaning("nowhere", "Protocol").sentence == ""
