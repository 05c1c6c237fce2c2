"""Bytes to values and back: every packet format, each in a file of its own. Checks shape, never policy."""
