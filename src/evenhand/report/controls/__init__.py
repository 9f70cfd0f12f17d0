"""Rules and standards as dated data: what each clause asks, since when, and which findings are evidence for it."""
