"""From a key and counts to a finding."""
