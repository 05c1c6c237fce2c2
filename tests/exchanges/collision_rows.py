"""The families of tests/data/collisions.csv as rows: who does what, which message arrives when, and how it ends.

The words are those of `tests.support.crossing`. Every row is played twice, the second time with roles exchanged;
one with a `loser` in the orders of nonces in which that side's exchange has the lowest.
"""

from dataclasses import dataclass

TEMPORARY, NOT_FOUND, OTHER_GROUP = "TEMPORARY_FAILURE", "CHILD_SA_NOT_FOUND", "INVALID_KE_PAYLOAD"


@dataclass(frozen=True)
class Row:
    """`ends`: IKE SAs, pairs of the first child, pairs of the second. `west`, `east`: the refusals each is told.

    `is_lossless`: at every moment a packet of either side arrives. `bears`: items of conformance.csv.
    """

    id: str
    about: str
    words: str
    ends: tuple[int, int, int] = (1, 1, 0)
    west: tuple[str, ...] = ()
    east: tuple[str, ...] = ()
    loser: str = ""
    is_lossless: bool = True
    groups: str = ""
    bears: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.id} {self.about}"


def either(family: str, about: str, words: str, **more) -> list[Row]:
    """The same words, once with west and once with east as the one whose new SA goes."""
    return [Row(family, f"{about}, {loser} loses", words, loser=loser, **more) for loser in ("west", "east")]


CROSSED = "west.rekey east.rekey"
CROSSED_IKE = "west.rekey-ike east.rekey-ike"

CHILD_ROWS = [
    Row("COL-01", "one end rekeys", "west.rekey ~"),
    Row("COL-01", "the request is lost", "west.rekey w1! 5s"),
    Row("COL-01", "the answer is lost", "west.rekey w1 e1! 5s"),
    Row("COL-01", "the delete is lost", "west.rekey w1 e1 w2! 5s", bears=("IK2-60",)),
    Row(
        "COL-03",
        "another group is wanted",
        "west.rekey ~",
        west=(OTHER_GROUP,),
        groups="one",
        bears=("IK2-115",),
    ),
    Row("COL-05", "soft expiry while the delete is awaited", "west.rekey w1 east.rekey ~"),
    Row(
        "COL-06",
        "hard expiry while the delete is awaited",
        "west.rekey w1 e1 east.lose-child w2 ~",
        is_lossless=False,
    ),
    Row(
        "COL-07",
        "the new one is deleted first",
        "west.rekey w1 e1 w2? east.delete-newest ~ w2",
        (1, 0, 0),
        is_lossless=False,
    ),
    Row(
        "COL-08",
        "the old one is not there",
        "east.lose-child west.rekey ~",
        west=(NOT_FOUND,),
        is_lossless=False,
        bears=("IK2-71", "IK2-73"),
    ),
    Row(
        "COL-09",
        "the wrong side deletes the old one",
        "west.rekey w1 east.delete-oldest e2 e1 ~",
        is_lossless=False,
    ),
    *either("COL-11", "both are answered", f"{CROSSED} w1 e1 w2 e2 ~", bears=("IK2-63", "IK2-64", "IK2-12")),
    *either("COL-11", "one end is quicker", f"{CROSSED} w1 e1 e2 ~", bears=("IK2-63",)),
    *either(
        "COL-14", "an answer comes after the deletes", f"{CROSSED} w1 e1 w2? e2 ~ w2 ~", bears=("IK2-63",)
    ),
    Row(
        "COL-15",
        "an answer comes when all is deleted",
        f"{CROSSED} w1 e1 w2? e2 ~ west.delete-newest ~ w2 ~",
        (1, 0, 0),
        loser="east",
        is_lossless=False,
    ),
    Row(
        "COL-17",
        "a request comes before the delete",
        f"{CROSSED} w1? e1 w2 w1 ~",
        west=(TEMPORARY,),
        bears=("IK2-73",),
    ),
    Row(
        "COL-17", "and its refusal overtakes the delete", f"{CROSSED} w1? e1 w2 w1 e3 e2 ~", west=(TEMPORARY,)
    ),
    Row("COL-17", "and its refusal is lost", f"{CROSSED} w1? e1 w2 w1 e3! e2 5s", west=(TEMPORARY,)),
    Row(
        "COL-18",
        "a request comes after the delete",
        f"{CROSSED} w1? e1 w2 ~ w1 ~",
        west=(NOT_FOUND,),
        bears=("IK2-73",),
    ),
    Row(
        "COL-19",
        "a request comes when all is deleted",
        f"{CROSSED} w1? e1 w2 ~ east.delete-newest ~ w1 ~",
        (1, 0, 0),
        west=(NOT_FOUND,),
        is_lossless=False,
    ),
    *either(
        "COL-21",
        "both want another group",
        f"{CROSSED} w1 e1 w2 e2 w3 e3 ~",
        west=(OTHER_GROUP,),
        east=(OTHER_GROUP,),
        groups="both",
        bears=("IK2-115",),
    ),
    Row(
        "COL-22",
        "both want another group, one asks again too late",
        f"{CROSSED} w1 e1 w2 e2 w3? ~ w3 ~",
        west=(OTHER_GROUP, NOT_FOUND),
        east=(OTHER_GROUP,),
        groups="both",
    ),
    Row(
        "COL-22",
        "both want another group, one asks again late",
        f"{CROSSED} w1 e1 w2 e2 w3? e3 w4 w3 ~",
        west=(OTHER_GROUP, TEMPORARY),
        east=(OTHER_GROUP,),
        groups="both",
    ),
    Row(
        "COL-23", "the loser deletes the old one", f"{CROSSED} w1 e1 w2 e2 west.delete-oldest ~", loser="west"
    ),
]

CHILD_AND_OTHER_ROWS = [
    Row(
        "COL-24",
        "rekeyed and deleted",
        "west.rekey east.delete w1 e1 ~",
        (1, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
        bears=("IK2-73",),
    ),
    Row(
        "COL-26",
        "rekeyed and deleted, the delete is lost",
        "west.rekey east.delete w1 e1! ~",
        (1, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
        bears=("IK2-73",),
    ),
    Row(
        "COL-26",
        "rekeyed and deleted, the delete is late",
        "west.rekey east.delete w1 e1? ~ e1 ~",
        (1, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
    ),
    Row(
        "COL-27",
        "rekeyed and deleted, the request to rekey is lost",
        "west.rekey east.delete w1! ~",
        (1, 0, 0),
        west=(NOT_FOUND,),
        is_lossless=False,
        bears=("IK2-73",),
    ),
    Row(
        "COL-27",
        "rekeyed and deleted, the request to rekey is late",
        "west.rekey east.delete w1? ~ w1 ~",
        (1, 0, 0),
        west=(NOT_FOUND,),
        is_lossless=False,
    ),
    Row("COL-28", "the new one's delete overtakes the answer", "west.rekey w1 e1? east.delete-newest ~ e1 ~"),
    Row("COL-28", "the same with a further child", "west.create w1 e1? east.delete-newest ~ e1 ~"),
    Row(
        "COL-28",
        "both pairs' deletes overtake the answer",
        "west.rekey w1 e1? east.delete ~ e1 ~",
        (1, 0, 0),
        is_lossless=False,
    ),
    Row(
        "COL-29",
        "child and IKE SA rekeyed",
        "west.rekey east.rekey-ike w1 e1 ~",
        west=(TEMPORARY,),
        east=(TEMPORARY,),
        bears=("IK2-72", "IK2-73", "IK2-74"),
    ),
    Row(
        "COL-30",
        "child rekeyed, IKE SA deleted",
        "west.rekey east.delete-ike w1 e2 e1 ~",
        (0, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
    ),
    Row(
        "COL-30",
        "and the answer comes too late",
        "west.rekey east.delete-ike e1 w1 ~",
        (0, 0, 0),
        is_lossless=False,
    ),
    Row("COL-49", "one end deletes", "west.delete ~", (1, 0, 0), is_lossless=False, bears=("IK2-75",)),
    Row(
        "COL-50",
        "both delete",
        "west.delete east.delete w1 e1 ~",
        (1, 0, 0),
        is_lossless=False,
        bears=("IK2-73", "IK2-75", "IK2-12"),
    ),
    Row(
        "COL-51",
        "both delete, one is lost",
        "west.delete east.delete w1! ~",
        (1, 0, 0),
        is_lossless=False,
        bears=("IK2-75",),
    ),
    Row(
        "COL-51",
        "both delete, an answer is lost",
        "west.delete east.delete w1 e2! ~",
        (1, 0, 0),
        is_lossless=False,
    ),
    Row(
        "COL-52",
        "child deleted, IKE SA rekeyed",
        "west.delete east.rekey-ike w1 e1 ~",
        (1, 0, 0),
        east=(TEMPORARY,),
        is_lossless=False,
        bears=("IK2-73", "IK2-74"),
    ),
    Row(
        "COL-53",
        "child and IKE SA deleted",
        "west.delete east.delete-ike w1 e1 ~",
        (0, 0, 0),
        is_lossless=False,
    ),
    # deliberately parallel (RFC 7296 2.8): each end has asked for one
    Row(
        "COL-56",
        "both create the same child",
        "west.create east.create w1 e1 ~",
        (1, 1, 2),
        bears=("IK2-12",),
    ),
    Row("COL-56", "one end asks twice", "west.create west.create ~", (1, 1, 1)),
    Row(
        "COL-57",
        "child created, IKE SA rekeyed",
        "west.create east.rekey-ike w1 e1 ~",
        (1, 1, 1),
        west=(TEMPORARY,),
        east=(TEMPORARY,),
        bears=("IK2-72", "IK2-74"),
    ),
]

IKE_ROWS = [
    Row("COL-31", "one end rekeys", "west.rekey-ike ~", bears=("IK2-67",)),
    Row("COL-31", "the answer is lost", "west.rekey-ike w1 e1! 5s"),
    Row(
        "COL-31",
        "a child waits for the new one",
        "west.rekey-ike west.create ~",
        (1, 1, 1),
        bears=("IK2-116",),
    ),
    Row(
        "COL-33",
        "another group is wanted",
        "west.rekey-ike ~",
        west=(OTHER_GROUP,),
        groups="one",
        bears=("IK2-115",),
    ),
    *either(
        "COL-35",
        "both are answered",
        f"{CROSSED_IKE} w1 e1 w2 e2 ~",
        bears=("IK2-65", "IK2-67", "IK2-74", "IK2-12"),
    ),
    *either("COL-35", "one end is quicker", f"{CROSSED_IKE} w1 e1 e2 ~", bears=("IK2-65",)),
    *either(
        "COL-38",
        "both want another group",
        f"{CROSSED_IKE} w1 e1 w2 e2 w3 e3 ~",
        west=(OTHER_GROUP,),
        east=(OTHER_GROUP,),
        groups="both",
    ),
    Row(
        "COL-39",
        "both want another group, one asks again late",
        f"{CROSSED_IKE} w1 e1 w2 e2 w3? e3 w4 w3 e5 ~",
        west=(OTHER_GROUP, TEMPORARY),
        east=(OTHER_GROUP,),
        groups="both",
    ),
    Row(
        "COL-39",
        "both want another group, one asks again too late",
        f"{CROSSED_IKE} w1 e1 w2 e2 w3? ~ w3 ~",
        west=(OTHER_GROUP,),
        east=(OTHER_GROUP,),
        groups="both",
    ),
    *either("COL-40", "an answer is late", f"{CROSSED_IKE} w1 e1 w2? e2 ~ w2 ~"),
    *either("COL-40", "an answer is lost", f"{CROSSED_IKE} w1 e1 w2! e2 ~"),
    Row("COL-42", "a request is lost", f"{CROSSED_IKE} w1! e1 w2 ~"),
    Row("COL-43", "a request is late, its refusal after the delete", f"{CROSSED_IKE} w1? e1 w2 w1 ~"),
    Row(
        "COL-43",
        "a request is late",
        f"{CROSSED_IKE} w1? e1 w2 w1 e3 ~",
        west=(TEMPORARY,),
        bears=("IK2-66", "IK2-74"),
    ),
    Row(
        "COL-44",
        "a request is late, and the delete too",
        f"{CROSSED_IKE} w1? e1 w2 e2? w1 e3 3s e2 ~",
        west=(TEMPORARY,),
    ),
    Row(
        "COL-46",
        "rekeyed and deleted",
        "west.rekey-ike east.delete-ike w1 e2 e1 ~",
        (0, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
        bears=("IK2-74",),
    ),
    Row(
        "COL-48",
        "rekeyed and deleted, the delete is lost",
        "west.rekey-ike east.delete-ike w1 e1! ~",
        (0, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
        bears=("IK2-74",),
    ),
    Row(
        "COL-48",
        "rekeyed and deleted, the delete is late",
        "west.rekey-ike east.delete-ike w1 e1? ~ 3s e1 ~",
        (0, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
    ),
    Row("COL-54", "one end deletes", "west.delete-ike ~", (0, 0, 0), is_lossless=False),
    Row(
        "COL-55",
        "both delete",
        "west.delete-ike east.delete-ike w1 e1 ~",
        (0, 0, 0),
        is_lossless=False,
        bears=("IK2-74",),
    ),
    Row(
        "COL-54",
        "while it is being rekeyed",
        "west.rekey-ike west.delete-ike ~",
        (0, 0, 0),
        is_lossless=False,
    ),
    *either(
        "COL-46",
        "both rekey and one deletes",
        f"{CROSSED_IKE} w1 e1 west.delete-ike w2 e2 ~",
        ends=(0, 0, 0),
        is_lossless=False,
    ),
]

ROWS = CHILD_ROWS + CHILD_AND_OTHER_ROWS + IKE_ROWS
