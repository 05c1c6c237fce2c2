"""ipsecsim: IPsec in a simulated network, with real bytes, seen step by step."""

__version__ = "0.1.0"
