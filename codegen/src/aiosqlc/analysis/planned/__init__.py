"""Query plans, and the statistics on which they depend, as values for every engine."""
