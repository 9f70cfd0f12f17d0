"""What would decide a limit: how many rows of which groups, by simulation, before an audit and after one."""
