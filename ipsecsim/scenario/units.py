"""Times, rates, sizes, chances and numbers as people write them; a missing unit is asked for."""

import re
from fractions import Fraction

from ipsecsim.base.instant import MICROSECOND, MILLISECOND, SECOND, Duration
from ipsecsim.scenario.problems import Mistake

TIME = {
    "ns": 1,
    "us": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": 60 * SECOND,
    "min": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": 86400 * SECOND,
}
RATE = {"bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9}
SIZE = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

_NUMBER = r"\d+(?:\.\d+)?"
_AMOUNT = re.compile(rf"({_NUMBER})\s*([a-zA-Z/%]*)")
_LARGEST = 10**18  # a bound on what a file may ask for: 31 years in nanoseconds


def duration(text: str, *, bare_is_seconds: bool = False) -> Duration:
    """'10ms' in nanoseconds. A bare number is seconds for swanctl's keys, else a Mistake; a bare 0 is 0."""
    number, unit = _split(text, "duration", "10ms, 5s, 2m or 4h")
    if not unit:
        if bare_is_seconds or number == 0:
            return _whole(number * SECOND, text, "nanosecond")
        raise Mistake(
            f"duration '{text}' lacks its unit; write for example 10ms, 5s, 2m or 4h "
            f"(did you mean {text}ms or {text}s?)"
        )
    if unit not in TIME:
        raise Mistake(f"unknown unit '{unit}' in duration '{text}'; known: {', '.join(sorted(TIME))}")
    return _whole(number * TIME[unit], text, "nanosecond")


def rate(text: str) -> int:
    """'50mbit' in bit/s."""
    number, unit = _split(text, "rate", "64kbit, 50mbit or 1gbit")
    if unit.lower() in ("bps", "kbps", "mbps", "gbps"):
        meant = unit.lower().replace("bps", "bit")
        raise Mistake(
            f"'{unit}' means bytes to some tools and bits to others; write {_digits(number)}{meant}"
        )
    if not unit:
        raise Mistake(
            f"rate '{text}' lacks its unit; write for example 64kbit, 50mbit or 1gbit "
            f"(did you mean {text}kbit or {text}mbit?)"
        )
    if unit not in RATE:
        lower = unit.lower()
        hint = f"; write {_digits(number)}{lower}" if lower in RATE else f"; known: {', '.join(RATE)}"
        raise Mistake(f"unknown unit '{unit}' in rate '{text}'{hint}")
    bits = _whole(number * RATE[unit], text, "bit/s")
    if bits == 0:
        raise Mistake(f"rate '{text}' lets nothing through; to cut a link write  state: down")
    return bits


def size(text: str) -> int:
    """'1400' or '64kB' in bytes."""
    try:
        number, unit = _split(text, "size", "1400 or 64kB")
    except Mistake as mistake:
        raise Mistake(f"'{text}' is no size; write for example 1400 or 64kB") from mistake
    factor = SIZE.get(unit or "B")
    if factor is None:
        meant = {known.lower(): known for known in SIZE}.get(unit.lower())
        if meant is None:
            raise Mistake(f"'{text}' is no size; write for example 1400 or 64kB")
        raise Mistake(f"unknown unit '{unit}' in size '{text}'; write {_digits(number)}{meant}")
    return _whole(number * factor, text, "byte")


def dscp(text: str) -> int:
    """A code point as its name or number: 'ef', 'af21', 'cs1', '46' (RFC 2474, RFC 2597, RFC 3246)."""
    if text == "ef":
        return 46
    if len(text) == 3 and text[:2] == "cs" and text[2] in "01234567":
        return 8 * int(text[2])
    if len(text) == 4 and text[:2] == "af" and text[2] in "1234" and text[3] in "123":
        return 8 * int(text[2]) + 2 * int(text[3])
    if not text.isdecimal() or int(text) > 63:
        raise Mistake(f"'{text}' is no DSCP; write ef, af11 to af43, cs0 to cs7, or 0 to 63")
    return int(text)


def percentage(text: str) -> float:
    """'1.5%' as 1.5."""
    number, unit = _split(text, "percentage", "1%")
    if unit != "%":
        if unit:
            raise Mistake(f"unknown unit '{unit}' in percentage '{text}'; write for example 1%")
        guess = number * 100 if 0 < number < 1 else number
        raise Mistake(
            f"percentage '{text}' lacks its unit; write for example 1% (did you mean {_digits(guess)}%?)"
        )
    if number > 100:
        raise Mistake(f"'{text}' is more than everything; a chance is 0% to 100%")
    return float(number)


def whole(text: str, low: int = 0, high: int = _LARGEST) -> int:
    """A whole number in decimal digits, from `low` to `high`."""
    if not re.fullmatch(r"\d+", text):
        raise Mistake(f"'{text}' is no whole number{_suggestion(text)}")
    if len(text) > 1 and text[0] == "0":
        digits = text.lstrip("0") or "0"
        raise Mistake(f"leading zeros are read as octal by some tools; write {digits}")
    number = int(text) if len(text) <= 20 else high + 1
    if not low <= number <= high:
        raise Mistake(f"{text} is out of range; write {low} to {high}")
    return number


def yes_no(text: str) -> bool:
    """'yes' or 'no' (also true and false, on and off)."""
    answers = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
    answer = answers.get(text)
    if answer is None:
        meant = answers.get(text.lower())
        if meant is not None:
            raise Mistake(f"small letters: write {'yes' if meant else 'no'}")
        raise Mistake(f"'{text}' is neither yes nor no")
    return answer


def show_duration(length: Duration) -> str:
    """A duration in the largest unit that keeps it whole: '66m', '10ms'."""
    if length == 0:
        return "0s"
    for unit in ("d", "h", "m", "s", "ms", "us"):
        if length % TIME[unit] == 0:
            return f"{length // TIME[unit]}{unit}"
    return f"{length}ns"


def show_rate(bits: int) -> str:
    """A rate in the largest unit that keeps it whole."""
    for unit in ("gbit", "mbit", "kbit"):
        if bits % RATE[unit] == 0:
            return f"{bits // RATE[unit]}{unit}"
    return f"{bits}bit"


def _split(text: str, what: str, example: str) -> tuple[Fraction, str]:
    match = _AMOUNT.fullmatch(text)
    if match is None or len(match[1]) > 30:
        raise Mistake(f"'{text}' is no {what}; write for example {example}")
    return Fraction(match[1]), match[2]


def _whole(amount: Fraction, text: str, unit: str) -> int:
    if amount.denominator != 1:
        raise Mistake(f"'{text}' is finer than one {unit}")
    if amount > _LARGEST:
        raise Mistake(f"'{text}' is too much")
    return int(amount)


def _digits(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else f"{float(number):g}"


def _suggestion(text: str) -> str:
    """For 1e2, 100.0, 1_000 and the like: the same number in plain digits."""
    try:
        number = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        return "; write for example 100"
    if number.is_integer() and 0 <= number < 1e15:
        return f"; write {int(number)}"
    return "; write for example 100"
