"""The log of a deployed model: its schema, and the reader of any source that follows it."""
