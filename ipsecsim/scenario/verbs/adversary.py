"""What an adversary does with the packets that it sees."""

from ipsecsim.scenario import units
from ipsecsim.scenario.verbs.verb import Verb, count, packet_rate

_HOW_MANY = {"count": count, "rate": packet_rate}

ADVERSARY_VERBS: dict[str, Verb] = {
    "replay": Verb(("NODE",), _HOW_MANY, "replay mallory layer=esp count=10", selects=True),
    "flip": Verb(("NODE",), _HOW_MANY, "flip mallory layer=esp", selects=True),
    "drop": Verb(("NODE",), _HOW_MANY, "drop mallory layer=ike", selects=True),
    "inject": Verb(
        ("NODE",), {**_HOW_MANY, "seq": units.whole}, "inject mallory layer=esp seq=9", selects=True
    ),
    "flood": Verb(("NODE", "TO"), _HOW_MANY, "flood mallory east rate=10000/s", selects=True),
}
