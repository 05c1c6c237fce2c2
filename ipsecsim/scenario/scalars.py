"""The kinds of single value under `ipsec:` and `tunnels:`, most of them swanctl's."""

from typing import Any

from ipsecsim.scenario import units
from ipsecsim.scenario.kinds import PARAMETER, CommaList, Scalar
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.swanctl.parse import check_ah_proposal, esp_proposal, ike_proposal
from ipsecsim.scenario.swanctl.values import prefix, secret, selector_address
from ipsecsim.scenario.swanctl.words import known_words

ANY_TEXT: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_SECONDS: dict[str, Any] = {
    "type": ["string", "number"],
    "pattern": rf"^({PARAMETER}|[0-9.]+ ?(ns|us|ms|s|m|min|h|d)?)$",
}


def _proposal_pattern() -> dict[str, Any]:
    words = "|".join(sorted(known_words()))
    one = rf"((ke[1-7]_)?({words}))(-((ke[1-7]_)?({words})))*"
    return {"type": "string", "pattern": rf"^({PARAMETER}|{one}(, *{one})*)$"}


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
BYTES = Scalar(
    units.size, {"type": ["integer", "string"], "pattern": rf"^({PARAMETER}|[0-9.]+ ?([kMG]i?)?B?)$"}
)
SECRET = Scalar(secret, ANY_TEXT)
TEXTS = CommaList(str, ANY_TEXT)
IKE_PROPOSALS = CommaList(ike_proposal, _proposal_pattern())
ESP_PROPOSALS = CommaList(esp_proposal, _proposal_pattern())
AH_PROPOSALS = CommaList(check_ah_proposal, _proposal_pattern())
SELECTORS = CommaList(selector_address, ANY_TEXT)
"""The address part of each selector; names in it are looked up later, where nodes are known."""
PREFIXES = CommaList(prefix, ANY_TEXT)


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
