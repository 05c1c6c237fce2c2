"""Where the peer is: behind a NAT, and on the move (MOBIKE)."""
