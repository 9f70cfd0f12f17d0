"""The door out: one sanitiser for what is printed, one writer for what is written."""
