"""What lessons need beyond a lab: guesses, checks that give nothing away, expected values with their sources."""

from ipsecsim.lab.lessons.lesson import Lesson

__all__ = ["Lesson"]
