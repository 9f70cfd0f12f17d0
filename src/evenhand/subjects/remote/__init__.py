"""Models behind HTTP: what an endpoint declares, and how it is asked."""
