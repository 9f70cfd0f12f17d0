"""Live batches against an audited baseline; alarms whose rate is controlled over all time."""
