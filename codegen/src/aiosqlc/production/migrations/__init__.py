"""Checks pending migrations: what each statement locks, for how long, and who waits."""
