"""Two ends that prove themselves with certificates."""

from ipsecsim.ike.events import IkeMessageSent, NotifyReceived, PeerRefused
from ipsecsim.scenario.lab_pki import LabPki
from tests.support.pair import Pair


def pair_of(west=None, east=None, **options) -> Pair:
    """With keys of a laboratory's authority."""
    return Pair(**{"pki": LabPki("1")} | options, west=west or {}, east=east or {})


def up(pair: Pair) -> Pair:
    """The handshake is good; if not, why either side refuses."""
    pair.establish()
    assert pair.is_up, (pair.west.seen(PeerRefused), pair.east.seen(PeerRefused))
    return pair


def refused_by_east(pair: Pair) -> str:
    """Why east refuses; the wire must not tell."""
    pair.establish()
    assert not pair.east.endpoint.sas
    assert not pair.west.endpoint.sas
    assert not pair.west.sas
    assert not pair.east.sas
    assert pair.west.seen(NotifyReceived) == [NotifyReceived("AUTHENTICATION_FAILED", "IKE_AUTH")]
    assert pair.east.seen(IkeMessageSent)[-1].payloads == ("N(AUTHENTICATION_FAILED)",)
    (event,) = pair.east.seen(PeerRefused)
    return event.why
