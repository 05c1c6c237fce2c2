"""Every packet from birth to end: who carries whom, what became of it, and what led to what."""
