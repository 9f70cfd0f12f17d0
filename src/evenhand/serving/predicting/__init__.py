"""A model behind HTTP: it answers, gives its reasons, and is told what became of it."""
