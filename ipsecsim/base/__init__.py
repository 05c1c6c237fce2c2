"""The ground floor: time, chance, errors, actions and trace events. Knows nothing of packets."""
