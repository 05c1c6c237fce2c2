"""Child SAs: what both ends agree on, their form, and their life."""
