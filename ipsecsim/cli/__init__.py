"""The command line: `ipsecsim list | show | check | schema | run`."""

from ipsecsim.cli.app import main

__all__ = ["main"]
