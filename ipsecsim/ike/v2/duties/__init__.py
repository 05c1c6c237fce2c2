"""What an IKE SA has to do, and when."""
