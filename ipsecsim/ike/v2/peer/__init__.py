"""Who the peer is: proofs, certificates, trust, and what is wrong when it is not believed."""
