"""The families of tests/data/collisions.csv in which additional key exchanges follow (RFC 9370), as rows.

A side answers with a link, and is then asked to go on: w1 and e2 begin west's chain, w3 and its answer end it.
Of two chains the one with the lowest nonce stops after its first answer.
"""

from tests.exchanges.collision_rows import CROSSED, CROSSED_IKE, OTHER_GROUP, TEMPORARY, Row, either

CHAIN_ROWS = [
    Row("COL-02", "one end rekeys", "west.rekey ~", groups="chain"),
    Row("COL-02", "a follow-up is lost", "west.rekey w1 e1 w2! 5s", groups="chain"),
    Row("COL-04", "another group is wanted", "west.rekey ~", west=(OTHER_GROUP,), groups="one, chain"),
    *either("COL-12", "both are answered", f"{CROSSED} w1 e1 w2 e2 ~", groups="chain"),
    *either("COL-13", "only one end has a chain", f"{CROSSED} w1 e1 w2 e2 ~", groups="mixed"),
    *either("COL-16", "an answer is late", f"{CROSSED} w1 e1 w2? e2 ~ w2 ~", groups="chain"),
    Row(
        "COL-16",
        "a last answer is late",
        f"{CROSSED} w1 e1 w2 e2 w3 e3? ~ e3 ~",
        loser="east",
        groups="chain",
    ),
    Row(
        "COL-20",
        "a request comes before the delete",
        f"{CROSSED} w1? e1 w2 e2 w3 w1 ~",
        west=(TEMPORARY,),
        groups="chain",
    ),
    Row(
        "COL-20",
        "a request comes before the delete, which its refusal overtakes",
        f"{CROSSED} w1? e1 w2 e2 w3 w1 e4 e3 ~",
        west=(TEMPORARY,),
        groups="chain",
    ),
    Row("COL-20", "a request comes during the chain", f"{CROSSED} w1? e1 w2 w1 ~", groups="chain"),
    Row(
        "COL-25",
        "deleted during the chain",
        "west.rekey w1 e1 east.delete w2 ~",
        (1, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
        groups="chain",
    ),
    Row(
        "COL-25",
        "deleted during the chain, the refusal comes first",
        "west.rekey w1 e1 east.delete w2 e3 e2 ~",
        (1, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
        groups="chain",
    ),
    Row("COL-58", "one end creates", "west.create ~", (1, 1, 1), groups="chain"),
    Row("COL-32", "one end rekeys", "west.rekey-ike ~", groups="chain"),
    Row("COL-34", "another group is wanted", "west.rekey-ike ~", west=(OTHER_GROUP,), groups="one, chain"),
    *either("COL-36", "both are answered", f"{CROSSED_IKE} w1 e1 w2 e2 ~", groups="chain"),
    *either("COL-37", "only one end has a chain", f"{CROSSED_IKE} w1 e1 w2 e2 ~", groups="mixed"),
    *either("COL-41", "an answer is late", f"{CROSSED_IKE} w1 e1 w2? e2 ~ w2 ~", groups="chain"),
    *either("COL-41", "an answer is lost", f"{CROSSED_IKE} w1 e1 w2! e2 ~", groups="chain"),
    Row(
        "COL-41",
        "a last answer is late",
        f"{CROSSED_IKE} w1 e1 w2 e2 w3 e3? ~ e3 ~",
        loser="east",
        groups="chain",
    ),
    Row("COL-45", "a request is late", f"{CROSSED_IKE} w1? e1 w2 e2 w3 w1 ~", groups="chain"),
    Row(
        "COL-45",
        "a request is late, and the delete too",
        f"{CROSSED_IKE} w1? e1 w2 e2 w3 w1 e4 e3 ~",
        west=(TEMPORARY,),
        groups="chain",
    ),
    Row("COL-45", "a request comes during the chain", f"{CROSSED_IKE} w1? e1 w2 w1 ~", groups="chain"),
    Row(
        "COL-47",
        "deleted during the chain",
        "west.rekey-ike w1 e1 east.delete-ike w2 e3 e2 ~",
        (0, 0, 0),
        west=(TEMPORARY,),
        is_lossless=False,
        groups="chain",
    ),
]
