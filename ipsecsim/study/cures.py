"""The one setting that would have helped: a path and a value that `--set` and `set:` understand."""

from ipsecsim.study.trouble import Evidence, Trouble


def cure(evidence: Evidence, trouble: Trouble) -> str:
    """'path=value', or '' where no single setting helps."""
    return ""
