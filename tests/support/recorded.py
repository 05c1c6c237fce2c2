"""The keys of recorded IKE peers, as a recording of ours would hold them."""

from typing import Any

from ipsecsim.ike.events import IkeKeysDerived
from ipsecsim.ike.v2.messages.message import the
from ipsecsim.net.turn import Turn
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.observe.record import Record
from ipsecsim.wire.ike.chain import parse_message
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from tests.vectors.recorded_proofs import ike_suite

_NAMES = ("sk_d", "sk_ai", "sk_ar", "sk_ei", "sk_er", "sk_pi", "sk_pr")


def ike_keys(entry: dict[str, Any], response: bytes) -> Keys:
    """Those of an IKE SA in `keys.json`, whose suite stands in the response of IKE_SA_INIT."""
    suite = ike_suite(the(parse_message(response)[1], SecurityAssociationPayload).proposals[0])
    event = IkeKeysDerived(
        bytes.fromhex(entry["spi_i"]),
        bytes.fromhex(entry["spi_r"]),
        suite.encryption.name,
        suite.key_bits,
        "" if suite.integrity is None else suite.integrity.name,
        b"",
        b"",
        *(bytes.fromhex(entry.get(name, "")) for name in _NAMES),
    )
    return Keys.of([Record(0, Turn(1, 0, "peer", "frame", 0), event)])
