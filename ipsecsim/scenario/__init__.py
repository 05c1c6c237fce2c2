"""The topology language: from a file that says what is there to a checked and complete model of it."""

from ipsecsim.scenario.editor_schema import json_schema
from ipsecsim.scenario.library import find, groups, names
from ipsecsim.scenario.model import Remark, Topology
from ipsecsim.scenario.problems import Refused
from ipsecsim.scenario.read import Checked, check, read
from ipsecsim.scenario.to_yaml import expanded_yaml
from ipsecsim.scenario.verbs import SCRIPT_VERBS

__all__ = [
    "SCRIPT_VERBS",
    "Checked",
    "Refused",
    "Remark",
    "Topology",
    "check",
    "expanded_yaml",
    "find",
    "groups",
    "json_schema",
    "names",
    "read",
]
