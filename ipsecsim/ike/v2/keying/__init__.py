"""The keys of an IKE SA, and the exchanges that add to them."""
