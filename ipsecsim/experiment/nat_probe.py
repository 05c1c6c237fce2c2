"""What can be found out about a NAT from both sides of it (RFC 4787 4.1, 4.2, 5): who is seen where, who gets in.

`pc` and `neighbour` are inside, `one` and `two` outside. What they say to each other is planned beside the script,
since nobody can write down beforehand to which port an answer goes: they learn it from what arrived, as a STUN
client does.
"""

from collections.abc import Iterator

from ipsecsim.base.instant import SECOND, Instant, ms
from ipsecsim.experiment.run import Run
from ipsecsim.net.events import FrameArrived
from ipsecsim.wire import ip, udp
from ipsecsim.wire.numbers import IpProtocol

INSIDE, OUTSIDE = 5000, (9, 10)
FIRST = ("pc", INSIDE, "one", 9)
COMERS = (("one", 9), ("one", 10), ("two", 9))
PEERS = (("one", 10), ("two", 9))
OTHERS = (("pc", 6000), ("neighbour", 6000), ("pc", 7000))

Said = tuple[str, int, str, int]
"""Who speaks, from which port, to whom, to which port."""


def plan(run: Run) -> None:
    """Plan what they say: a first word out, what comes back to where it came from, and other words out."""
    for name, ports in (("pc", (INSIDE,)), ("one", OUTSIDE), ("two", OUTSIDE)):
        run.world.simulator.nodes[name].stack.ports.update(ports)
    _say(run, SECOND, FIRST)
    for number, (peer, port) in enumerate(COMERS):
        _answer(run, 2 * SECOND + ms(100) * number, peer, port)
    out: list[Said] = [("pc", INSIDE, *peer) for peer in PEERS]
    out += [(host, port, "one", 9) for host, port in OTHERS]
    for number, said in enumerate(out):
        _say(run, 3 * SECOND + ms(100) * number, said)


def mappings(run: Run) -> tuple[str, ...]:
    """Is pc's endpoint the same for another port of `one`, and for `two`?"""
    first = _seen(run, FIRST)
    return tuple("same" if _seen(run, ("pc", INSIDE, *peer)) == first else "another" for peer in PEERS)


def gets_in(run: Run) -> tuple[str, ...]:
    """Who of the three outside has reached pc at the endpoint that `one` has seen."""
    return tuple(
        "yes" if _seen(run, (peer, port, "pc", INSIDE)) is not None else "no" for peer, port in COMERS
    )


def ports(run: Run) -> tuple[int, ...]:
    """The outside ports of pc's 6000, of the neighbour's 6000 and of pc's 7000."""
    seen = (_seen(run, (host, port, "one", 9)) for host, port in OTHERS)
    return tuple(0 if endpoint is None else endpoint[1] for endpoint in seen)


def _say(run: Run, at: Instant, said: Said) -> None:
    speaker, port, hearer, to_port = said
    node, to = (run.world.simulator.nodes[name] for name in (speaker, hearer))

    def work() -> None:
        node.perform(node.stack.send_datagram(None, port, to.address, to_port, _words(said)))

    run.world.simulator.plan(at, node, work)


def _answer(run: Run, at: Instant, speaker: str, port: int) -> None:
    node = run.world.simulator.nodes[speaker]

    def work() -> None:
        seen = _seen(run, FIRST)
        if seen is not None:
            node.perform(node.stack.send_datagram(None, port, *seen, _words((speaker, port, "pc", INSIDE))))

    run.world.simulator.plan(at, node, work)


def _words(said: Said) -> bytes:
    return "{}:{} > {}:{}".format(*said).encode()


def _seen(run: Run, said: Said) -> tuple[bytes, int] | None:
    """From which endpoint these words came, where they were heard; None when they were not."""
    return next(
        (source for node, source, words in _heard(run) if (node, words) == (said[2], _words(said))), None
    )


def _heard(run: Run) -> Iterator[tuple[str, tuple[bytes, int], bytes]]:
    for record, event in run.recorder.of(FrameArrived):
        protocol, offset = ip.upper_layer(event.packet)
        if protocol == IpProtocol.UDP:
            port, _, words = udp.parse(event.packet[offset:])
            yield record.node, (ip.source(event.packet), port), bytes(words)
