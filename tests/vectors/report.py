"""The table that `python -m tests.vectors` prints."""

from collections import Counter

from tests.vectors.results import Outcome, Result


def table(title: str, results: list[Result]) -> str:
    """Family, passed, failed, not supported yet; a line each and their sum."""
    families = list(dict.fromkeys(result.family for result in results))
    counts = Counter((result.family, result.outcome) for result in results)
    width = max(len(name) for name in (title, *families))
    lines = [f"{title:{width}}  passed  failed  not supported yet"]
    for family in (*families, None):
        numbers = [
            counts[family, outcome] if family else sum(result.outcome is outcome for result in results)
            for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.NOT_SUPPORTED)
        ]
        lines.append(f"{family or 'together':{width}}  {numbers[0]:6}  {numbers[1]:6}  {numbers[2]:17}")
    return "\n".join(lines)


def not_supported(results: list[Result]) -> str:
    """What is missing, by name, with how many cases ask for it and in which families."""
    missing = [result for result in results if result.outcome is Outcome.NOT_SUPPORTED]
    counts = Counter(result.detail for result in missing)
    families: dict[str, list[str]] = {}
    for result in missing:
        asking = families.setdefault(result.detail, [])
        if result.family not in asking:
            asking.append(result.family)
    lines = [f"not supported yet: {len(counts)} algorithms and features, {len(missing)} cases"]
    lines += [f"  {count:4}  {name}: {', '.join(families[name])}" for name, count in counts.most_common()]
    return "\n".join(lines)


def failures(results: list[Result]) -> str:
    """Every failure with its reason; empty when there are none."""
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    return "\n".join(f"FAILED {result.family}: {result.name}: {result.detail}" for result in failed)
