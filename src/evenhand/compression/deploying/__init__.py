"""A model as one file that runs without evenhand: its preprocessing is part of the graph."""
