"""What to say about the deeds of an attacker, and where the standards speak of them."""

from ipsecsim.net import events as net
from ipsecsim.observe.packets.packet_summary import summary
from ipsecsim.observe.telling.shape import Tellings


def _bit_flipped(event: net.BitFlipped) -> str:
    what = f"bit {event.bit} of frame {event.frame} on {event.link}"
    return f"{event.attacker} flipped {what}, and mended the checksums that anybody can mend"


def _bytes_changed(event: net.BytesChanged) -> str:
    where = f"from byte {event.at} of frame {event.frame} on {event.link}"
    return f"{event.attacker} turned over chosen bits {where}: {event.bits.hex()}"


ADVERSARY: Tellings = {
    net.PassingSelected: (lambda e: f"an attacker, from now on: {e.words}", ""),
    net.BitFlipped: (_bit_flipped, ""),
    net.BytesChanged: (_bytes_changed, ""),
    net.PacketReplayed: (lambda e: f"sent once more what passed on {e.link}: {summary(e.packet)}", ""),
    net.NothingSeen: (lambda _: "has seen no packet that fits, so there is nothing to send again", ""),
}
"""What to say about each event, and its clause."""
