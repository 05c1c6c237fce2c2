"""One run: a world, its recording, and what was expected of it."""
