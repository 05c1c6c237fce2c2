"""The IPsec data plane (RFC 4301, RFC 4302, RFC 4303) as a sans-IO engine."""
