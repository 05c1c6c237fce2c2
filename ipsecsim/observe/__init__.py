"""Asking the recording: what happened, in which order, because of what, and in which bytes."""
