import re

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import ConfigError, Place

LAYERS = {
    "adversary",
    "device",
    "firewall",
    "ah",
    "link",
    "nat",
    "ip",
    "udp",
    "spd",
    "sad",
    "esp",
    "ike",
    "sim",
}


def test_every_reason_is_itself_and_has_a_whole_row():
    assert len(DropReason.__members__) == len(list(DropReason))  # an equal row would make an alias
    for reason in DropReason:
        assert reason.layer in LAYERS
        assert reason.sentence
        assert reason.sentence[0].islower()
        assert reason.clause == "" or re.fullmatch(r"RFC \d+( [\d.]+)?", reason.clause)


def test_a_config_error_shows_the_place_and_points_at_it():
    place = Place("a.yaml", 3, 7, "  x: [1")
    assert str(ConfigError("no such thing", place)) == "a.yaml:3:7: no such thing\n    x: [1\n        ^"
    assert str(ConfigError("no such thing", Place("a.yaml"))) == "a.yaml: no such thing"
    assert str(ConfigError("no such thing")) == "no such thing"
