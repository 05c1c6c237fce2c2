"""One sentence for every kind of event, and where the standards speak of it."""
