"""The timers of an IKE SA by name; `patience` says what each rings for."""

from enum import Enum


class Alarm(Enum):
    """Each rings at most once until it is set again."""

    RETRANSMIT = "no answer yet"
    LIVENESS = "nothing heard for a while"
    DOUBT = "refused in clear, and nothing better came"
    HALF_OPEN = "begun and never proved"
    FRAGMENTS = "the rest of a message did not come"
    CHAIN = "additional key exchanges that nobody goes on with"
    AGAIN = "something that was put off"
    REKEY = "old enough to be replaced"
    REAUTH = "proved long ago"
    OVER = "too old to live"
    IDLE = "a child that carries nothing"
    TRUST = "what proved the peer has expired"
