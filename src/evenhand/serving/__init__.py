"""HTTP: a record explored on this machine (`viewing`), a model that answers and is told what became of it."""
