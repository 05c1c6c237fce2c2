"""swanctl.conf's own words: proposals, traffic selectors, addresses, secrets."""
