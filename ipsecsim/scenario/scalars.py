"""The kinds of single value under `ipsec:` and `tunnels:`, most of them swanctl's."""

import re
from typing import Any

from ipsecsim.ike.identity import expected
from ipsecsim.scenario import units
from ipsecsim.scenario.kinds import NAME, PARAMETER, CommaList, Scalar
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.swanctl.auth import AUTH_WORDS, HASH_WORDS, auth_words
from ipsecsim.scenario.swanctl.parse import (
    NotYet,
    ah_proposal,
    ah_suite,
    esp_proposal,
    esp_suite,
    ike_proposal,
)
from ipsecsim.scenario.swanctl.values import (
    address,
    address_4,
    pool_range,
    prefix,
    secret,
    selector_address,
)
from ipsecsim.scenario.swanctl.words import known_words

SMALLEST_WINDOW, LARGEST_WINDOW = 32, 4096
LARGEST_PADDED = 65_000
"""A packet padded to this size still fits into another one with every header there can be."""

ANY_TEXT: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_SECONDS: dict[str, Any] = {
    "type": ["string", "number"],
    "pattern": rf"^({PARAMETER}|[0-9.]+ ?(ns|us|ms|s|m|min|h|d)?)$",
}


def _proposal_pattern() -> dict[str, Any]:
    words = "|".join(sorted(known_words()))
    one = rf"((ke[1-7]_)?({words}))(-((ke[1-7]_)?({words})))*"
    return {"type": "string", "pattern": rf"^({PARAMETER}|{one}(, *{one})*)$"}


def _any_esp_proposal(text: str) -> None:
    """Raise Mistake when neither IKE nor an SA by hand could use this."""
    try:
        esp_suite(text)
    except Mistake:
        esp_proposal(text)


def _identity(text: str) -> None:
    """Raise Mistake for what is no identity, and for no group of them."""
    try:
        expected(text)
    except ValueError as error:
        raise Mistake(str(error)) from error


TEXT = Scalar(str, ANY_TEXT)
YES_NO = Scalar(
    units.yes_no, {"type": ["string", "boolean"], "pattern": rf"^({PARAMETER}|yes|no|true|false|on|off)$"}
)
SECONDS = Scalar(lambda text: units.duration(text, bare_is_seconds=True), _SECONDS)
WHOLE = Scalar(units.whole, {"type": ["integer", "string"], "pattern": rf"^{PARAMETER}$", "minimum": 0})
PORT = Scalar(
    lambda text: units.whole(text, 1, 65535),
    {"type": ["integer", "string"], "pattern": rf"^{PARAMETER}$", "minimum": 1, "maximum": 65535},
)
FRAGMENT_SIZE = Scalar(
    # below 200 bytes little or nothing is left once IP, UDP, IKE and the seal are in
    lambda text: 0 if text == "0" else units.whole(text, 200, 65535),
    {"type": ["integer", "string"], "pattern": rf"^{PARAMETER}$", "minimum": 0, "maximum": 65535},
)
BYTES = Scalar(
    units.size, {"type": ["integer", "string"], "pattern": rf"^({PARAMETER}|[0-9.]+ ?([kMG]i?)?B?)$"}
)
SECRET = Scalar(secret, ANY_TEXT)
TEXTS = CommaList(str, ANY_TEXT)
MOST_PROPOSALS = 100
"""Fewer than an offer can number: when a child gets new keys, its algorithms stand before all others once more."""
IKE_PROPOSALS = CommaList(ike_proposal, _proposal_pattern(), MOST_PROPOSALS)
ESP_PROPOSALS = CommaList(esp_proposal, _proposal_pattern(), MOST_PROPOSALS)
ANY_ESP_PROPOSALS = CommaList(_any_esp_proposal, _proposal_pattern(), MOST_PROPOSALS)
"""For a tunnel, before it is known who makes its keys."""
AH_PROPOSALS = CommaList(ah_proposal, _proposal_pattern(), MOST_PROPOSALS)
ESP_SUITE = Scalar(esp_suite, _proposal_pattern())
AH_SUITE = Scalar(ah_suite, _proposal_pattern())
_FAMILY = "|".join(map(re.escape, AUTH_WORDS))
AUTH_METHOD = Scalar(
    auth_words,
    {
        "type": "string",
        "pattern": rf"^({PARAMETER}|(ike:)?({_FAMILY})(-(ike:)?({_FAMILY}|{'|'.join(HASH_WORDS)}))*)$",
    },
)
IDENTITY = Scalar(_identity, ANY_TEXT)
SELECTORS = CommaList(selector_address, ANY_TEXT)
"""The address part of each selector; names in it are looked up later, where nodes are known."""
PREFIXES = CommaList(prefix, ANY_TEXT)
ADDRESSES = CommaList(address, ANY_TEXT)
ADDRESSES_4 = CommaList(address_4, ANY_TEXT)
NETMASK = Scalar(address_4, ANY_TEXT)
POOL_ADDRS = Scalar(pool_range, ANY_TEXT)


def _code_point(text: str) -> int:
    if len(text) != 6 or set(text) - set("01"):
        raise Mistake(f"'{text}' is no code point; write six binary digits, such as 101110")
    return int(text, 2)


def _security_parameter_index(text: str) -> int:
    try:
        number = int(text, 16) if text.lower().startswith("0x") else units.whole(text)
    except ValueError as error:
        raise Mistake(f"'{text}' is no SPI; write for example 0x1001") from error
    if not 256 <= number < 1 << 32:
        raise Mistake("an SPI is 256 to 0xffffffff (RFC 4303 2.1)")
    return number


DSCP = Scalar(_code_point, {"type": ["string", "integer"], "pattern": rf"^({PARAMETER}|[01]{{6}})$"})
SPI = Scalar(_security_parameter_index, {"type": ["string", "integer"]})


def _replay_window(text: str) -> int:
    size = units.whole(text)
    if size and not SMALLEST_WINDOW <= size <= LARGEST_WINDOW:
        # RFC 4303 3.4.3: 32 is the least that must be supported
        raise Mistake(f"a replay window is {SMALLEST_WINDOW} to {LARGEST_WINDOW} packets, or 0 for none")
    return size


def _tfc_padding(text: str) -> int:
    if text == "mtu":
        raise NotYet("tfc_padding: mtu")
    size = units.size(text)
    if size > LARGEST_PADDED:
        raise Mistake(f"'{text}' leaves no room for the headers; at most {LARGEST_PADDED}")
    return size


TFC_PADDING = Scalar(_tfc_padding, ANY_TEXT)
WINDOW = Scalar(
    _replay_window,
    {"type": ["integer", "string"], "pattern": rf"^{PARAMETER}$", "minimum": 0, "maximum": LARGEST_WINDOW},
)


def _key(text: str) -> tuple[str, bytes]:
    """The name behind seed:, or the bytes behind 0x."""
    first, colon, name = text.partition(":")
    if colon and first == "seed":
        if not NAME.fullmatch(name):
            raise Mistake(f"'{name}' is no name for a key; write for example seed:k1", len("seed:"))
        return name, b""
    return "", _hexadecimal(text)


def _hexadecimal(text: str) -> bytes:
    if not text.startswith(("0x", "0X")):
        raise Mistake("a key is seed:NAME, fresh for each run, or 0x and hexadecimal digits")
    try:
        return bytes.fromhex(text[2:])
    except ValueError as error:
        raise Mistake("after 0x stand pairs of hexadecimal digits") from error


KEY = Scalar(_key, {"type": ["string", "integer"], "pattern": rf"^({PARAMETER}|seed:.+|0x[0-9a-fA-F]+)$"})
HEXADECIMAL = Scalar(
    _hexadecimal, {"type": ["string", "integer"], "pattern": rf"^({PARAMETER}|0x[0-9a-fA-F]*)$"}
)
