"""Files made to harm: each is refused in bounded time, in one line that says why."""

import time

import pytest

from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario import read

pytestmark = pytest.mark.slow

GOOD = "name: x\nnodes: {a: {}, b: {}}\nlinks: {l: [a, b]}\n"
BOMB = "name: x\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['x'] * 9)}]\n" for n in range(9)
)
FILES: dict[str, tuple[bytes, str]] = {
    "nothing at all": (b"", "{}: the file is empty"),
    "a mark of byte order alone": (b"\xef\xbb\xbf", "{}: the file is empty"),
    "comments only": (b"# nothing\n" * 1000, "{}: the file is empty"),
    "zeros": (bytes(5000), "{}:1: a control character (U+0000) stands in this line; remove it"),
    "a zero in a name": (
        b"name: a\x00b\n",
        "{}:1: a control character (U+0000) stands in this line; remove it",
    ),
    "a program": (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\xff" * 99, "{}:1: this line is no UTF-8 text"),
    "UTF-16": (GOOD.encode("utf-16"), "{}:1: this line is no UTF-8 text; save the file as UTF-8"),
    "Latin-1": (GOOD.replace("x", "é").encode("latin-1"), "{}:1: this line is no UTF-8 text"),
    "half a surrogate": (b"name: \xed\xa0\x80\n", "{}:1: this line is no UTF-8 text"),
    "an escape for a terminal": (
        b"name: \x1b[2J\n",
        "{}:1: a control character (U+001B) stands in this line",
    ),
    "a bomb of aliases": (BOMB.encode(), "{}:2:5: YAML aliases are not used here"),
    "merge keys": (GOOD.encode() + b"<<: {seed: 1}\n", "{}:4:1: YAML aliases are not used here"),
    "an object": (b"name: !!python/object/apply:os.system [id]\n", "{}:1:7: YAML tags such as"),
    "brackets without end": (b"name: " + b"[" * 500_000, "{}:1:38: nested deeper than 32 levels"),
    "braces without end": (b"{a: " * 200_000, "{}:1:"),
    "blocks without end": (
        b"".join(b" " * n + b"a:\n" for n in range(400)),
        "{}:32:32: nested deeper than 32 levels",
    ),
    "a million values": (b"seed: [" + b"0," * 400_000 + b"]\n", "{}:1:"),
    "a million keys": (
        b"".join(b"k%d: 0\n" % n for n in range(90_000)),
        "{}:50000:9: more than 100000 values",
    ),
    "one long line": (b"name: " + b"x" * 1_000_000, "{}:1:1: the file lacks 'nodes'"),
    "more than a mebibyte": (b"#" * (1 << 20) + b"\n", "{}: is larger than 1 MiB"),
    "two topologies": (GOOD.encode() + b"---\n" + GOOD.encode(), "{}:4:1: one file holds one topology"),
    "a directive": (
        b"%TAG ! tag:x,2000:\n---\n" + GOOD.encode(),
        "{}:2:1: directives such as %YAML and %TAG",
    ),
    "a list": (b"- name: x\n", "{}:1:1: a topology begins with  name: some_name"),
    "counts that multiply": (
        b"name: x\nnodes: {g: {kind: gateway, count: 10000}, h: {}}\nlinks: {l: [g, h]}\ntunnels: {m: [g, g]}\n",
        "{}:4:14: these counts add up to more than 50000",
    ),
    "parameters that multiply": (
        b"name: x\nparams: {p: '" + b"y" * 50_000 + b"'}\nseed: '" + b"$p " * 5000 + b"'\n",
        "{}:3:7: parameters make the text longer than",
    ),
    "a script without end": (
        b"name: x\nnodes: {a: {count: 10000}, b: {kind: router}}\nlinks: {l: [a, b]}\nscript: ["
        + b"do: ping a b, " * 100
        + b"]\n",
        "{}:4:",
    ),
    "a matrix without end": (
        GOOD.encode()
        + b"matrix: {links.l.delay: ["
        + b", ".join(b"%dms" % n for n in range(20_000))
        + b"]}\n",
        "{}:4:10: the matrix has more than 10000 cells",
    ),
}


@pytest.mark.parametrize(("data", "line"), FILES.values(), ids=FILES)
def test_a_hostile_file_is_refused_in_one_line(data, line, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        read(path)
    took = time.process_time() - began
    assert str(caught.value).splitlines()[0].startswith(line.format(path))
    assert all(len(each) < 700 for each in str(caught.value).splitlines())
    assert took < 30  # the longest are those that come near the limits of size


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing.yaml", tmp_path / "x.yaml" / "y.yaml"):
        (tmp_path / "x.yaml").touch()
        with pytest.raises(ConfigError) as caught:
            read(path.with_suffix(".yaml") if path is tmp_path else path)
        assert "can't be read" in str(caught.value)
