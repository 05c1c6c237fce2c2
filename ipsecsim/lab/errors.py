"""What a lab refuses: one sentence, one remedy."""

from ipsecsim.base.errors import ConfigError


class LabError(ConfigError):
    """What somebody wants of a lab can't be done like this; the message says what can."""
