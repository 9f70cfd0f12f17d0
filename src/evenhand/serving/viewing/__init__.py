"""A record behind HTTP, on this machine only: a page to explore what `audit.json` holds."""
