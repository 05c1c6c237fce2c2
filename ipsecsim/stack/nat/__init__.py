"""Network address translation of IPv4 as an engine (RFC 3022, RFC 4787, RFC 5382, RFC 5508)."""
