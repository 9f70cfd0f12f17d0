"""Networks over images by name, in their published structure, and with a first layer for small images."""
