"""A router: it forwards what is not for itself."""

from ipsecsim.net.node import Node


class Router(Node):
    """An IP router (RFC 1812)."""

    forwards = True
