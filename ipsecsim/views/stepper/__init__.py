"""The stepper: a run in a browser or a notebook, turn by turn."""
