"""A firewall: a router that looks at what it forwards."""

from ipsecsim.net.nodes.router import Router


class FirewallBox(Router):
    """Without rules it is a router. What it does beyond that comes with `filter`, as on any other node."""
