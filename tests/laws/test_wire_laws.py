"""Two laws every wire format obeys: values survive the wire, and no bytes do harm."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecsim.base.errors import RemoteError
from ipsecsim.wire.nat_t import classify
from tests.laws.wire_formats import FORMATS, Format

pytestmark = pytest.mark.slow

EVERY_FORMAT = pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def parses(fmt: Format, data: bytes) -> bool:
    """Whether `data` is accepted. Anything but a value or a RemoteError fails the test."""
    try:
        fmt.parse(data)
    except RemoteError:
        return False
    return True


@EVERY_FORMAT
@MANY
@given(data=st.data())
def test_parse_gives_back_what_emit_was_given(fmt, data):
    value = data.draw(fmt.values)
    assert fmt.parse(fmt.emit(value)) == value


@EVERY_FORMAT
@FEW
@given(data=st.data())
def test_every_truncation_is_refused_or_read(fmt, data):
    emitted = fmt.emit(data.draw(fmt.values))
    for length in range(len(emitted)):
        accepted = parses(fmt, emitted[:length])
        assert not (accepted and fmt.whole)


@EVERY_FORMAT
@MANY
@given(noise=st.binary(max_size=120))
def test_random_bytes_are_refused_or_read(fmt, noise):
    parses(fmt, noise)


@EVERY_FORMAT
@FEW
@given(data=st.data(), change=st.integers(1, 255))
def test_one_changed_byte_is_refused_or_read(fmt, data, change):
    emitted = bytearray(fmt.emit(data.draw(fmt.values)))
    for position in range(len(emitted)):
        emitted[position] ^= change
        parses(fmt, bytes(emitted))
        emitted[position] ^= change


@EVERY_FORMAT
@MANY
@given(noise=st.binary(max_size=120))
def test_what_was_read_is_emitted_to_something_that_reads_the_same(fmt, noise):
    try:
        value = fmt.parse(noise)
    except RemoteError:
        return
    assert fmt.parse(fmt.emit(value)) == value


@MANY
@given(noise=st.binary(max_size=12))
def test_any_datagram_on_port_4500_is_classified_or_refused(noise):
    try:
        classify(noise)
    except RemoteError:
        assert len(noise) < 4
