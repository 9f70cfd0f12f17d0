"""What compression did, and to whom."""
