"""Speed, as ratios to a floor measured in the same run. Never part of the test suite: see `make bench`."""
