"""Messages of IKEv2: read and written, sealed, cut into fragments, held against the rules of their payloads."""
