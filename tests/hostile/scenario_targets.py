"""The reader of topologies: whatever stands in a file, only a ConfigError may come out."""

import re
from functools import cache
from pathlib import Path
from random import Random

from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario import library, read
from tests.hostile.target import ACCEPTED, Target

_EXAMPLES = Path(__file__).parent.parent / "data" / "topology_examples"
_SIGNS = (
    "&a *a !!int <<: --- { } [ ] : - # ' \" | \\ \0 \x85 \ud800 é ${x} ${ $ , ? @ ` ~ 1e9 0x1F -1 ::1 yes"
)
_WORDS = (
    *_SIGNS.split(" "),
    "\t",
    "%YAML 1.1",
    "count: 9999",
    "extends: site_to_site",
    "10.0.0.0/33",
    "9" * 400,
)

_WORD = re.compile(r"[\w.:/%+<>=|!-]+")
_EXTREMES = (
    "0 1 0s 0% 100% 0.0.0.0/0 0.0.0.1 255.255.255.255 ::/0 10.1.0.0/31 fe80::1 224.0.0.1 any dynamic 65535 65536 "
    "4294967295 [] {} '' yes no a|b 0-0 !=1 size>0 dst=any at<0s count=0 999d 1ns"
)


@cache
def _files() -> tuple[str, ...]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(_EXAMPLES.rglob("*.yaml"))]
    for name in library.names():
        found = library.find(name)
        if found is not None:
            texts.append(found.read_text(encoding="utf-8"))
    return tuple(texts)


def spoil_text(chance: Random, text: str, others: tuple[str, ...]) -> str:
    """Lines and words in other places, doubled, gone, or replaced by odd ones."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        if chance.random() < 0.3:
            text = _misplaced(chance, text, others)
            continue
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        choice = chance.randrange(9)
        if choice == 0:
            del lines[at]
        elif choice == 1:
            lines.insert(at, chance.choice(lines))
        elif choice == 2:
            lines.insert(at, chance.choice(chance.choice(others).split("\n")))
        elif choice == 3:
            lines[at] = " " * chance.randrange(8) + lines[at].lstrip()
        elif choice == 4:
            words = lines[at].split(" ")
            words[chance.randrange(len(words))] = chance.choice(_WORDS)
            lines[at] = " ".join(words)
        elif choice == 5:
            where = chance.randint(0, len(lines[at]))
            lines[at] = lines[at][:where] + chance.choice(_WORDS) + lines[at][where:]
        elif choice == 6:
            lines = lines[:at]
        elif choice == 7:
            lines[at] = lines[at].replace(": ", ": [", 1) + "]"
        else:
            where = chance.randint(0, len(lines[at]))
            lines[at] = lines[at][:where] + lines[at][where + 1 :]
        text = "\n".join(lines)
    return text


def _misplaced(chance: Random, text: str, others: tuple[str, ...]) -> str:
    """One word gives way to one from elsewhere, or to an extreme one; the file may mean something all the same."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    here = chance.choice(words)
    there = _WORD.findall(chance.choice(others)) or [""]
    return text[: here.start()] + chance.choice((*_EXTREMES.split(" "), *there)) + text[here.end() :]


class Reader(Target):
    """Slow, so few of them."""

    name = "scenario"
    share = 1
    most_ms = 500

    def next_input(self) -> bytes:
        text = spoil_text(self.chance, self.chance.choice(_files()), _files())
        return text.encode("utf-8", "surrogatepass")

    def feed(self, data: bytes) -> str:
        # a line end at the beginning tells text from the name of a file
        text = "\n" + data.decode("utf-8", "surrogatepass")
        try:
            read(text)
        except ConfigError as wrong:
            str(wrong)
            return type(wrong).__name__
        return ACCEPTED
