"""Groups compared: disparities, references, changes by compression, significance."""
