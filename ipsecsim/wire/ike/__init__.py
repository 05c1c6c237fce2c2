"""IKE message formats: the header, the payload chain and each payload (RFC 7296 section 3)."""
