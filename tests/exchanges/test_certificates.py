"""Two ends that prove themselves with keys of the lab's own authority."""

import pytest

from ipsecsim.crypto.signature_keys import KeyKind
from ipsecsim.ike.events import ChainBelieved, IkeMessageSent, PeerAuthenticated, PeerRefused
from ipsecsim.scenario.lab_pki import LabPki
from tests.support.pair import Pair

KINDS = pytest.mark.parametrize("kind", KeyKind)


def pair_of(west=None, east=None, **options) -> Pair:
    return Pair(pki=LabPki("1"), west=west or {}, east=east or {}, **options)


@KINDS
def test_every_kind_of_key_proves_both_ends(kind):
    pair = pair_of({"kind": kind}, {"kind": kind})
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    for side, peer in ((pair.west, "east"), (pair.east, "west")):
        (event,) = side.seen(PeerAuthenticated)
        assert event.identity == f"{peer}.example"
        assert kind.value.split()[0] in event.method
        assert len(side.seen(ChainBelieved)) == 1
    assert not pair.west.seen(PeerRefused)
    assert pair.west.seen(IkeMessageSent)[1].payloads == (
        "IDi",
        "CERT",
        "CERT",
        "CERTREQ",
        "IDr",
        "AUTH",
        "SA",
        "TSi",
        "TSr",
    )
