"""The conversations with a Linux kernel, as a table."""

from tests.interop.kernel import plays
from tests.interop.kernel.case import Case

ESP_SUITES = ("aes256-sha256", "aes256gcm16", "chacha20poly1305")

_ALL = [
    *(Case(play=plays.traffic, suite=suite) for suite in ESP_SUITES),
    *(Case(play=plays.traffic, suite=suite, in_udp=True) for suite in ESP_SUITES),
    Case(play=plays.we_misbehave, about="our bad packets", suite="aes256gcm16"),
    Case(play=plays.it_misbehaves, about="its bad packets", suite="aes256gcm16"),
    Case(play=plays.outer_fragments, about="outer fragments", suite="aes256gcm16"),
    Case(play=plays.inner_fragments, about="inner fragments", suite="aes256gcm16"),
]
CASES = {case.key: case for case in _ALL}
