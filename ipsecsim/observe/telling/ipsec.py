"""Sentences about the IPsec data plane."""

from ipsecsim.base.address import unpack
from ipsecsim.ipsec import events as ipsec
from ipsecsim.observe.packets.packet_summary import summary
from ipsecsim.observe.telling.shape import Tellings, count
from ipsecsim.wire import ah, esp
from ipsecsim.wire.numbers import protocol_name


def _sealed(event: ipsec.PacketSealed) -> str:
    carried = event.carried
    if event.protocol == "AH":
        parts = [f"{ah.FIXED_LENGTH} header", f"{event.icv_length} ICV"]
        if event.padding:
            parts.append(f"{event.padding} padding")
        parts.append(str(carried))
    else:
        parts = [f"{esp.HEADER_LENGTH} header", f"{event.iv_length} IV", str(carried)]
        if event.padding:
            parts.append(f"{event.padding} padding")
        parts += [f"{esp.TRAILER_LENGTH} trailer", f"{event.icv_length} ICV"]
    return (
        f"{'signed' if event.protocol == 'AH' else 'sealed'} {len(event.inner)} B in {_wrapping(event)} "
        f"as sequence {event.sequence} of SPI {event.spi:08x}: {' + '.join(parts)} = {event.length} B"
    )


def _wrapping(event: ipsec.PacketSealed) -> str:
    mode = "" if event.mode == "tunnel" else f" {event.mode} mode"
    return f"{event.protocol}{mode}{' in UDP' if event.in_udp else ''}"


def _opened(event: ipsec.PacketOpened) -> str:
    kind = "" if event.protocol == "ESP" else f" ({event.protocol})"
    checks = ["ICV", "selectors"] if event.is_authenticated else ["selectors"]
    window = "nobody looks for replays"
    if event.window_top is not None:
        checks.insert(0, "replay check")
        window = f"the window's top is {event.window_top}"
    good = f"{', '.join(checks[:-1])} and {checks[-1]}" if checks[1:] else f"no ICV, but the {checks[0]}"
    return (
        f"opened sequence {event.sequence} of SPI {event.spi:08x}{kind}: {good} are good, {window}; "
        f"inside: {summary(event.inner)}"
    )


def _resynchronised(event: ipsec.SequenceResynchronised) -> str:
    return (
        f"SPI {event.spi:08x} had lost count: sequence {event.found} was tried instead of {event.expected}, "
        "and its ICV is good"
    )


def _replay_rejected(event: ipsec.ReplayRejected) -> str:
    age = event.window_top - event.sequence
    return (
        f"refused sequence {event.sequence} of SPI {event.spi:08x}: "
        f"{age} below the window's top {event.window_top}, seen before or too old to tell"
    )


def _policy_matched(event: ipsec.PolicyMatched) -> str:
    direction = "outbound" if event.direction == "out" else "inbound"
    return f"the {direction} packet matches SPD rule {event.policy}: {event.verdict.upper()}"


def _held(event: ipsec.PacketHeld) -> str:
    return f"rule {event.policy} has no SA yet: {len(event.packet)} B wait while IKE is asked for one"


def _installed(event: ipsec.SaInstalled) -> str:
    ends = f"{unpack(event.source)} > {unpack(event.destination)}"
    ports = "" if event.udp_ports is None else ", in UDP {} > {}".format(*event.udp_ports)
    kind = "" if event.protocol == "ESP" else f"{event.protocol} "
    return (
        f"installed the {event.direction}bound {kind}SA {event.spi:08x} for {event.policy}: {event.mode} mode, "
        f"{event.suite}, {ends}{ports}, for {'; '.join(event.selectors)}"
    )


def _removed(event: ipsec.SaRemoved) -> str:
    return (
        f"removed the {event.direction}bound SA {event.spi:08x} of {event.policy}: "
        f"it carried {count(event.packets, 'packet')}, {event.octets} B"
    )


def _moved(event: ipsec.SaMoved) -> str:
    source, destination = (unpack(each) for each in event.after)
    wrapping = "" if event.udp_ports is None else f" in UDP {event.udp_ports[0]} > {event.udp_ports[1]}"
    was = "" if event.before == event.after else f", no longer {' > '.join(map(unpack, event.before))}"
    return (
        f"the {event.direction}bound SA {event.spi:08x} of {event.policy} goes on with its keys and numbers: "
        f"{event.protocol}{wrapping} {source} > {destination}{was}"
    )


def _conflict(event: ipsec.SaConflictFound) -> str:
    standing = f"SA {event.standing_spi:08x} of {event.standing_peer or event.standing_policy}"
    outcome = "it is refused" if event.is_refused else "the newer one takes what leaves"
    return (
        f"the {event.direction}bound SA {event.spi:08x} of {event.peer or event.policy} is for "
        f"{'; '.join(event.selectors)}, and so is {standing}: {outcome}"
    )


IPSEC: Tellings = {
    ipsec.PolicyMatched: (_policy_matched, lambda e: f"RFC 4301 5.{1 if e.direction == 'out' else 2}"),
    ipsec.PacketHeld: (_held, "RFC 4301 5.1"),
    ipsec.HoldEnded: (lambda e: f"{len(e.packet)} B wait no longer for an SA of {e.policy}", "RFC 4301 5.1"),
    ipsec.SaInstalled: (_installed, "RFC 4301 4.4.2"),
    ipsec.SaRemoved: (_removed, "RFC 7296 1.4.1"),
    ipsec.SaMoved: (_moved, "RFC 4555 3.5"),
    ipsec.SaConflictFound: (_conflict, lambda e: f"RFC 3948 5.{1 if e.mode == 'tunnel' else 2}"),
    ipsec.SaExpiring: (
        lambda e: (
            f"the {e.direction}bound SA {e.spi:08x} of {e.policy} is at its soft limit of {e.limit}: "
            "a replacement is due"
        ),
        "RFC 4301 4.4.2.1",
    ),
    ipsec.SaExpired: (
        lambda e: (
            f"the {e.direction}bound SA {e.spi:08x} of {e.policy} is at its hard limit of {e.limit}: it ends"
        ),
        "RFC 4301 4.4.2.1",
    ),
    ipsec.SaPathMtuLowered: (
        lambda e: (
            f"the path of SA {e.spi:08x} of {e.policy} takes {e.mtu} B: "
            f"packets of up to {e.inner} B fit into it from now on"
        ),
        "RFC 4301 8.2.1",
    ),
    ipsec.IcmpErrorBelieved: (
        lambda e: (
            f"{protocol_name(e.protocol)} type {e.type} code {e.code} came in clear for this node: "
            "the settings let it in"
        ),
        "RFC 4301 6.1.1",
    ),
    ipsec.PacketSealed: (_sealed, lambda e: "RFC 4302 3.3" if e.protocol == "AH" else "RFC 4303 3.3"),
    ipsec.PacketOpened: (_opened, lambda e: "RFC 4302 3.4" if e.protocol == "AH" else "RFC 4303 3.4"),
    ipsec.SequenceResynchronised: (_resynchronised, "RFC 4303 A3.2"),
    ipsec.ReplayRejected: (_replay_rejected, "RFC 4303 3.4.3"),
}
"""What to say about each event, and its clause."""
