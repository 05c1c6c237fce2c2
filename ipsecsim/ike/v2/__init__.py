"""IKEv2 (RFC 7296): one IKE SA, its keys, its window and its exchanges."""
