"""Values of metrics for every group, with their intervals."""
