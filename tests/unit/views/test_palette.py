"""The palette keeps the contrasts that it promises, and the CSS says the same as the table."""

import re

import pytest

from ipsecsim.views.palette import EVENTS, MEANINGS, PROTECTION, SERIES, SURFACES, Theme, colour, css
from ipsecsim.wire import layout

AA_TEXT, AA_EDGE = 4.5, 3.0  # WCAG 2.1, 1.4.3 and 1.4.11


def luminance(hexadecimal: str) -> float:
    """WCAG's relative luminance."""
    channels = [int(hexadecimal[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", list(Theme))
@pytest.mark.parametrize("name", MEANINGS[Theme.LIGHT])
def test_strokes_and_words_can_be_seen(theme: Theme, name: str) -> None:
    shade, surface = MEANINGS[theme][name], SURFACES[theme]["surface"]
    assert contrast(shade.stroke, surface) >= AA_EDGE
    assert contrast(shade.stroke, shade.tint) >= AA_EDGE
    assert contrast(shade.word, shade.tint) >= AA_TEXT
    assert contrast(SURFACES[theme]["ink"], shade.tint) >= 9.5


@pytest.mark.parametrize("theme", list(Theme))
def test_ink_can_be_read_on_every_ground(theme: Theme) -> None:
    tokens = SURFACES[theme]
    for ground in ("surface", "background", "sunken"):
        assert contrast(tokens["ink"], tokens[ground]) >= 7
        assert contrast(tokens["ink-2"], tokens[ground]) >= AA_TEXT
        assert contrast(tokens["focus"], tokens[ground]) >= AA_EDGE


def test_the_css_says_the_same_as_the_table() -> None:
    blocks = re.findall(r"\{ (--[^}]*) \}", css())
    light, dark, chosen, printed = (dict(re.findall(r"--([\w-]+): ([^;]+);", block)) for block in blocks)
    assert dark == chosen
    assert light == printed
    for theme, found in ((Theme.LIGHT, light), (Theme.DARK, dark)):
        for name, value in SURFACES[theme].items():
            assert found.pop(name) == value
        for name, shade in MEANINGS[theme].items():
            parts = [found.pop(f"{name}{part}") for part in ("", "-tint", "-word", "-line")]
            assert parts == [shade.stroke, shade.tint, shade.word, shade.line or shade.stroke]
        assert not found


def test_every_class_of_the_dissector_has_a_word_and_a_colour() -> None:
    classes = {layout.CLEAR, layout.ENCRYPTED, layout.AUTHENTICATED, layout.SEALED, layout.MUTABLE}
    assert classes == set(PROTECTION)
    assert classes <= set(MEANINGS[Theme.LIGHT])


def test_no_two_kinds_of_events_look_alike() -> None:
    assert (
        len({(each.marker, each.is_hollow) for each in EVENTS.values() if each.word != "plain forward"}) == 6
    )
    assert all(colour(each.meaning) for each in EVENTS.values())
    assert len({(name, style) for name, style in SERIES}) == len(SERIES)
