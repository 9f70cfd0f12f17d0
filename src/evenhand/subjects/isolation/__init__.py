"""Models of others, opened and run in a process with limits of time and memory."""
