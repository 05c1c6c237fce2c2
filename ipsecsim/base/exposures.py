"""The closed list of exposures: what an attacker comes to have though no check fails.

No drop reason tells of one, for nothing is dropped, and no diagnosis, for the tunnel works as it was set up.
"""

from enum import Enum


class Exposure(Enum):
    """What was given away. `name` is what people see; the value holds its sentence and clause."""

    def __init__(self, sentence: str, clause: str) -> None:
        self.sentence = sentence
        self.clause = clause

    FORGERY_BELIEVED = (
        "what was changed on the way was opened and believed: encrypted, and nothing to check it by",
        "RFC 8221 4",
    )
    SECRET_GUESSED = (
        "the pre-shared key is a common word: whoever answers in the peer's place can try words until one fits",
        "RFC 7296 2.15",
    )
