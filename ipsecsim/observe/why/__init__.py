"""Why it went wrong: diagnoses that no single node can make, found in the recording of all of them."""

from ipsecsim.observe.why.belonging import Shown, Side, is_about
from ipsecsim.observe.why.finding import Case, Finder, Finding
from ipsecsim.observe.why.findings import FINDERS, findings

__all__ = ["FINDERS", "Case", "Finder", "Finding", "Shown", "Side", "findings", "is_about"]
