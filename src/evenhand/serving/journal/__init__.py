"""The durable log of a model that is served: what was answered, and what was said of it since."""
