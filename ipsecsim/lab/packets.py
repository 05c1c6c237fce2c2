"""The packets of a lab: values that show themselves, byte by byte, and can be asked what became of them and why."""

from ipsecsim.experiment import packets as experiment
from ipsecsim.experiment.packets import NoSuchThing
from ipsecsim.lab.bytes import Bytes
from ipsecsim.lab.resend import Resent, resend
from ipsecsim.lab.shown import Shown
from ipsecsim.lab.why import Why, ask
from ipsecsim.observe.lives.life import Hop
from ipsecsim.observe.packets.keys import Keys
from ipsecsim.views import packets_text


class Packet(Shown, experiment.Packet):
    """One datagram, with one number from birth to end."""

    def follow(self) -> "Journey":  # type: ignore[override]  # the same, as a value that shows itself
        """Through all that changed or carried it, a line a stop."""
        return Journey(self)

    def why(self) -> Why:
        """Why it ended as it did."""
        return ask(self._run, self.number)

    def on(self, link: str) -> Bytes:
        """Its bytes as they were sent onto a link. Raises NoSuchThing for a link that it never crossed."""
        return Bytes(self._hop(link).packet, f"packet {self.number} on {link}", self._keys)

    def xray(self) -> Bytes:
        """Its bytes as they were made, field by field, with what is inside its seals."""
        return Bytes(self.data, f"packet {self.number} as it was made", self._keys)

    def arrived(self) -> Bytes:
        """Its bytes as they came to the last node that it reached. Raises NoSuchThing when it reached none."""
        hop = self._last_hop()
        return Bytes(hop.arrived_packet or hop.packet, f"packet {self.number} at {hop.to}", self._keys)

    def resend(self, data: bytes) -> Resent:
        """What the last node that it reached does with other bytes in its place, in a copy of the run."""
        return resend(self._run, self._last_hop(), data)

    def text(self) -> str:
        """A headline, and a line for each hop."""
        return packets_text.whole(self)

    def __repr__(self) -> str:
        return self.text()

    def _last_hop(self) -> Hop:
        hop = next((each for each in reversed(self.hops) if each.to), None)
        if hop is None:
            raise NoSuchThing(f"packet {self.number} arrived nowhere; it is {self.fate}")
        return hop

    def _hop(self, link: str) -> Hop:
        hop = next((each for each in self.hops if each.link == link), None)
        if hop is None:
            links = ", ".join(dict.fromkeys(each.link for each in self.hops)) or "none"
            raise NoSuchThing(f"packet {self.number} was never on '{link}'; it was on: {links}")
        return hop

    @property
    def _keys(self) -> Keys:
        return self._run.keys


class Journey(Shown):
    """One datagram through all that changed or carried it. `legs` are the stops."""

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self.legs = experiment.Packet.follow(packet).legs

    def text(self) -> str:
        """A line a stop."""
        return packets_text.journey(_plain(self._packet))


def _plain(packet: Packet) -> experiment.Packet:
    return experiment.Packet(packet._run, packet.life)


class Packets(Shown, experiment.Packets):
    """Packets as they were made, in the order of their births."""

    _kind = Packet

    def text(self) -> str:
        """A line a packet."""
        return "\n".join(packets_text.listing(self, None)) if self else "no packets"

    def __repr__(self) -> str:
        return self.text()
