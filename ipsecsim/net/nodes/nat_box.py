"""A NAT box: a router that hides a network behind its outside address (RFC 3022)."""

from ipsecsim.net.nodes.router import Router


class NatBox(Router):
    """Without a NAT it is a router. What it does beyond that comes with `translate`, as on any other node."""
