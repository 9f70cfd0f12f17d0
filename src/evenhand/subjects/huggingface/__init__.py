"""Models of transformers: folders, encoders of texts, language models."""
