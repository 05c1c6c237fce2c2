"""What must hold in every recording, whatever was run."""
