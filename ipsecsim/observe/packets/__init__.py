"""Looking through packets: fields, keys, meanings, and what differs between two of them."""
