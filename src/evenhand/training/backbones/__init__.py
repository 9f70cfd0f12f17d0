"""Networks that were trained before, opened from files and folders to stand under a head."""
