"""The simulated world: simpy lives here and nowhere else."""
