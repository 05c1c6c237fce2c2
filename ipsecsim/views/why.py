"""What went wrong in a run, and why, in plain text. The words are those of `study`."""

from collections.abc import Iterable, Sequence
from textwrap import wrap

from ipsecsim.base.visible import visible
from ipsecsim.experiment.run import Run
from ipsecsim.observe.telling.shape import count
from ipsecsim.study.gallery import Row
from ipsecsim.study.proof import Proof
from ipsecsim.study.trouble import Evidence, Trouble
from ipsecsim.study.why import Why
from ipsecsim.views.tables import table

_WIDTH = 110
_LABEL = 13
_VERDICTS = {"pass": "ok", "skip": "-", "fail": "FAIL", "unreached": ""}


def troubles(run: Run) -> str:
    """A line for each thing that went wrong, as a run ends with."""
    found = Evidence(run).harm()
    if not found:
        return "Why: nothing that has a name went wrong"
    return "\n".join(["Why: what went wrong, and where it shows", *map(visible, map(_line, found))])


def whole(why: Why) -> str:
    """An answer: the sentence, the chain, who knows, the clause, the setting, and what to look at."""
    if not why.reason:
        return f"{why.sentence[0].upper()}{why.sentence[1:]}"
    lines = [f"{why.reason}   {why.sentence}"]
    lines += [f"  turn {link.turn:<4} {link.node}   {link.sentence}" for link in why.chain]
    parts = (
        ("found", why.detail),
        ("who knows", _knowing(why)),
        ("shows as", why.shows_as),
        ("clause", why.clause),
        ("setting", why.setting),
        ("look at", why.look_at),
    )
    lines += [line for label, text in parts if text for line in _part(label, text)]
    lines += _strip(why)
    return "\n".join(map(visible, lines))


def _strip(why: Why) -> list[str]:
    """The checks in their order, the failing one with the rules that it went through."""
    if not why.strip.hooks:
        return []
    width = max(len(hook.name) for hook in why.strip.hooks)
    lines = [f"  the order of operations in {why.look_at.partition(':')[0]}"]
    for hook in why.strip.hooks:
        lines.append(f"    {_VERDICTS[hook.verdict]:<5} {hook.name:<{width}}  {hook.detail}".rstrip())
        if hook.verdict == "fail":
            lines += [f"    {'':<5} {'':<{width}}    {tried}" for tried in why.strip.rules]
    return lines


def proof(proof: Proof | None) -> str:
    """What came of the setting: a sentence for each difference."""
    if proof is None:
        return "  proved       there is no single setting to try"
    word = "cured" if proof.is_cured else "not cured"
    return "\n".join(_part("proved", f"{word} by  --set '{proof.setting}': {'; '.join(proof.differences)}"))


def gallery(rows: Sequence[Row], *, with_proof: bool) -> str:
    """Every failure by diagnosis, drop reason or notify, node and clause, and what a student is told."""
    heads = ["file", "diagnosis", "shows as", "node", "clause", "what is wrong"]
    cells = [
        [
            row.name,
            "" if row.why.reason == row.why.shows_as else row.why.reason,
            row.why.shows_as,
            row.why.node,
            row.why.clause,
            row.why.sentence,
        ]
        for row in rows
    ]
    if with_proof:
        heads.append("proved")
        cells = [[*cell, _cured(row.proof)] for cell, row in zip(cells, rows, strict=True)]
    return table("Failures", heads, cells)


def _cured(proof: Proof | None) -> str:
    return "" if proof is None else f"{'cured by' if proof.is_cured else 'not cured by'} {proof.setting}"


def _line(trouble: Trouble) -> str:
    clause = f"   [{trouble.reason.clause}]" if trouble.reason.clause else ""
    turns = list(dict.fromkeys(row.turn.number for row in trouble.rows))
    more = f" and {count(len(turns) - 1, 'turn')} more" if turns[1:] else ""
    return f"  {trouble.reason.name}   {trouble.sentence}{clause}   turn {turns[0]}{more}"


def _knowing(why: Why) -> str:
    known = _listed(why.known_by)
    if not why.unknown_to:
        return known
    verb = "sees" if len(why.unknown_to) == 1 else "see"
    return f"{known}, and only {known}: {_listed(why.unknown_to)} {verb} {why.blind}"


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _part(label: str, text: str) -> list[str]:
    first, *rest = wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"  {label:<{_LABEL - 1}} {first}", *(f"  {'':<{_LABEL - 1}} {each}" for each in rest)]
