"""Which requirement is borne out by which test: the table of `make conformance` and docs/conformance.md."""
