"""Who was in the training rows: attacks on a model by reference models that saw half of the rows each."""
