"""Every event has a sentence and a clause; so a story, a capture comment and a view never meet a stranger."""

import gc
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import ipsecsim
from ipsecsim.base.address import pack
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.observe.telling.explain import SENTENCES, clause, explain
from ipsecsim.stack.events import IcmpErrorSent
from ipsecsim.wire import ipv4
from ipsecsim.wire.icmpv4 import Echo

PACKET = ipv4.build(pack("10.1.0.2"), pack("10.2.0.2"), 1, Echo(False, 1, 1, b"data").emit())


def _subclasses(kind: type[TraceEvent]) -> Iterator[type[TraceEvent]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def _all_events() -> list[type[TraceEvent]]:
    for module in pkgutil.walk_packages(ipsecsim.__path__, "ipsecsim."):
        if module.name.endswith((".events", ".trace")):
            importlib.import_module(module.name)
    gc.collect()  # a dataclass with slots replaces the class it is made from, which lives on until then
    found = {each for each in _subclasses(TraceEvent) if each.__module__.startswith("ipsecsim.")}
    return sorted(found, key=lambda each: (each.__module__, each.__name__))


EVENTS = _all_events()


def sample(kind: type[TraceEvent]) -> TraceEvent:
    """An event of a class, made from its field types."""
    hints = get_type_hints(kind)
    return kind(**{field.name: _value(field.name, hints[field.name]) for field in fields(kind)})


def _value(name: str, hint: Any) -> object:
    if get_origin(hint) is UnionType:
        return _value(name, get_args(hint)[0])
    if get_origin(hint) is tuple:
        return tuple(_value(name, each) for each in get_args(hint) if each is not Ellipsis)
    if hint is DropReason:
        return DropReason.REPLAY_SEEN
    if hint is Diagnosis:
        return Diagnosis.STALE_SA
    if hint is bytes:
        if name in ("source", "destination", "next_hop"):
            return pack("192.0.2.1")
        return PACKET if name in ("packet", "inner") else bytes(range(16))
    return {int: 7, bool: True, str: "word"}[hint]


def test_there_are_events() -> None:
    assert PacketDropped in EVENTS
    assert len(EVENTS) > 40


def test_every_event_has_a_sentence_and_every_sentence_an_event() -> None:
    assert [each.__name__ for each in EVENTS if each not in SENTENCES] == []
    assert [each.__name__ for each in SENTENCES if each not in EVENTS] == []


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_sentences_are_plain_and_clauses_name_an_rfc(kind: type[TraceEvent]) -> None:
    event = sample(kind)
    sentence = explain(event)
    assert sentence == sentence.strip()
    assert len(sentence) >= 10
    assert not sentence.endswith(".")
    assert not re.search(r"b'|\bNone\b|<|  |\n", sentence), sentence
    assert re.fullmatch(r"|RFC \d{3,4}( [A-D]?\d+(\.\d+)*)?", clause(event))


@pytest.mark.parametrize("reason", DropReason, ids=lambda reason: reason.name)
def test_every_drop_is_told_with_its_reason_and_clause(reason: DropReason) -> None:
    dropped = PacketDropped(reason, PACKET, "why")
    assert reason.sentence in explain(dropped)
    assert reason.name in explain(dropped)
    assert clause(dropped) == reason.clause


def test_errors_of_icmpv6_go_by_their_own_names() -> None:
    told = explain(IcmpErrorSent(pack("2001:db8::1"), 2, 0, 1280))
    assert told == "told 2001:db8::1 by ICMPv6: packet too big, MTU 1280"
    assert explain(IcmpErrorSent(pack("192.0.2.1"), 3, 4, 1280)) == (
        "told 192.0.2.1 by ICMP: destination unreachable: fragmentation needed, MTU 1280"
    )
