"""A packet as a JSON object: what is known of it, and each hop with its bytes."""

import json
from dataclasses import asdict

from ipsecsim.experiment.packets import Packet
from ipsecsim.observe.lives.life import Hop
from ipsecsim.observe.packets.host_capture import Sight


def to_json(packet: Packet) -> str:
    """On one line, keys always in the same order; times in nanoseconds, bytes in hexadecimal."""
    life = packet.life
    fields: dict[str, object] = {
        **packet.facts,
        "layers": packet.layers,
        "traffic": sorted(life.traffic),
        "born": life.born,
        "ended": life.ended,
        "carries": life.carries,
        "carried_by": life.carried_by,
        "pieces": life.pieces,
        "piece_of": life.piece_of,
        "copy_of": life.copy_of,
        "answers": life.answers,
        "data": packet.data.hex(),
        "hops": [_hop(each) for each in packet.hops],
    }
    return json.dumps(fields, separators=(",", ":"))


def seen_to_json(sight: Sight) -> str:
    """A packet of a capture on a node on one line, in the same form."""
    return json.dumps({**asdict(sight), "packet": sight.packet.hex()}, separators=(",", ":"))


def _hop(hop: Hop) -> dict[str, object]:
    return {
        "frame": hop.frame,
        "link": hop.link,
        "source": hop.source,
        "to": hop.to,
        "left": hop.left,
        "at": hop.at,
        "arrived": hop.arrived,
        "arrived_at": hop.arrived_at,
        "packet": hop.packet.hex(),
        "arrived_packet": None if hop.arrived_packet is None else hop.arrived_packet.hex(),
        "reason": "" if hop.reason is None else hop.reason.name,
    }
