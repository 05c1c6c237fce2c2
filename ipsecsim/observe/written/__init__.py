"""The recording written down: JSON lines, captures, keys for Wireshark, the audit log, tables for pandas."""
