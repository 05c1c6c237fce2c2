"""Algorithms: one catalogue, and keyed objects made from its rows. Nothing else uses cryptography, gmpy2."""
