"""What an engine asks its driver to do. An Action must be performed."""


class Action:
    """Root of all actions; each package lists its own in `actions.py`."""

    __slots__ = ()
