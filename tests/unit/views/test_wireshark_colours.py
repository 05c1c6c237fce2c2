"""Wireshark's colours are those of every other view."""

import pytest

from ipsecsim.observe.written.key_log import FILTERS, color_filters
from ipsecsim.views.palette import MEANINGS, Theme

MEANT = {
    "dropped or lost": "drop",
    "malformed or bad ICV": "drop",
    "ICMP error": "drop",
    "NAT keepalive": "rewritten",
    "AH": "auth",
    "ESP": "both",
    "IKE sealed": "encrypted",
    "IKE in clear": "state",
    "in clear": "clear",
}


@pytest.mark.parametrize("row", FILTERS, ids=lambda row: row[0])
def test_a_colour_is_the_palettes(row):
    shade = MEANINGS[Theme.LIGHT][MEANT[row[0]]]
    assert row[2:] == (shade.tint, shade.word)


def test_colours_are_written_in_sixteen_bits():
    assert "@AH@ah@[65021,61937,53970][31354,20560,0]" in color_filters().splitlines()
