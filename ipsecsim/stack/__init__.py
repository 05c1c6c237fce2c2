"""The IP stack of one node as a sans-IO engine: packets and `now` in, Actions out."""
