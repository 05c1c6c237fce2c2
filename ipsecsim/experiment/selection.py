"""Which recorded frames a selection of `key=value` words means: `packets layer=esp link=wan src=alice`."""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ipsecsim.base.address import unpack
from ipsecsim.net.events import FrameSent
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.headers import Header, headers, ports, securities
from ipsecsim.observe.layers import layers
from ipsecsim.observe.record import Record
from ipsecsim.scenario.model import Condition
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol, protocol_name

_WITH_PORTS = (IpProtocol.TCP, IpProtocol.UDP)


class NotMeasurable(Exception):
    """Nothing here looks at this key."""


@dataclass(frozen=True, slots=True)
class _Packet:
    """A packet with a sound IP header, its headers in clear, and the world in which it travels."""

    data: bytes
    headers: list[Header]
    simulator: Simulator


def selects(condition: Condition, record: Record, sent: FrameSent, simulator: Simulator) -> bool:
    """Does a frame satisfy one word? Raises NotMeasurable."""
    if condition.key == "link":
        return is_one_of(condition, sent.link)
    if condition.key == "node":
        return is_one_of(condition, record.node)
    if condition.key == "layer":
        return _any_of(condition, layers(sent.packet))
    if condition.key == "size":
        return is_number(condition, len(sent.packet))
    read = _READERS.get(condition.key)
    if read is None:
        raise NotMeasurable(condition.key)
    found = headers(sent.packet)
    if found[0].fault:
        return condition.operator == "!="
    return read(condition, _Packet(sent.packet, found, simulator))


def is_one_of(condition: Condition, value: str) -> bool:
    """Is the value among those written, or with != among none of them?"""
    return _any_of(condition, (value,))


def is_number(condition: Condition, *numbers: int) -> bool:
    """Does a number satisfy one of those written, as in 'size>1400', 'port=500|4500', 'size=100-200'?"""
    found = any(_fits(condition.operator, text, number) for text in condition.values for number in numbers)
    return found is (condition.operator != "!=")


def _fits(operator: str, text: str, number: int) -> bool:
    low, _, high = text.partition("-")
    first, last = int(low), int(high or low)
    if operator in ("=", "!="):
        return first <= number <= last
    return {"<": number < first, "<=": number <= first, ">": number > first, ">=": number >= first}[operator]


def _any_of(condition: Condition, values: Iterable[str]) -> bool:
    found = any(value in condition.values for value in values)
    return found is (condition.operator == "=")


def _protocol(condition: Condition, packet: _Packet) -> bool:
    """What the outermost IP header carries, behind its extension headers: by name or number."""
    protocol, _ = ip.upper_layer(packet.data)
    return _any_of(condition, (protocol_name(protocol).lower(), str(protocol), "any"))


def _is_at(condition: Condition, address: bytes, simulator: Simulator) -> bool:
    """Is this an address of one of the nodes, or in one of the networks?"""
    found = any(_stands_for(text, address, simulator) for text in condition.values)
    return found is (condition.operator == "=")


def _stands_for(text: str, address: bytes, simulator: Simulator) -> bool:
    if text == "any":
        return True
    if text in simulator.nodes:
        return address in simulator.nodes[text].stack.addresses
    return ipaddress.ip_address(unpack(address)) in ipaddress.ip_network(text, strict=False)


def _ports(packet: _Packet) -> tuple[int, ...]:
    """Source and destination port behind the outermost IP header; none where it carries something else."""
    for header in packet.headers:
        if header.packet == 0 and header.protocol in _WITH_PORTS:
            return ports(packet.data[header.start : header.end])
    return ()


def _spi(condition: Condition, packet: _Packet) -> bool:
    """The SPI of any ESP or AH in clear."""
    wanted = {int(text, 16) for text in condition.values}
    return bool(wanted & {each.spi for each in securities(packet.data)}) is (condition.operator == "=")


_READERS: dict[str, Callable[[Condition, _Packet], bool]] = {
    "proto": _protocol,
    "src": lambda condition, packet: _is_at(condition, ip.source(packet.data), packet.simulator),
    "dst": lambda condition, packet: _is_at(condition, ip.destination(packet.data), packet.simulator),
    "sport": lambda condition, packet: is_number(condition, *_ports(packet)[:1]),
    "dport": lambda condition, packet: is_number(condition, *_ports(packet)[1:]),
    "port": lambda condition, packet: is_number(condition, *_ports(packet)),
    "spi": _spi,
}
