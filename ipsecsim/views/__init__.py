"""How a run is shown. A view reads and never changes anything."""
