"""IKE as a sans-IO engine: datagrams and `now` in, Actions out."""
