"""What can be done about a failed limit, what it costs, and who pays."""
