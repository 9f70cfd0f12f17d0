"""Message catalogues, one .po file a language."""
