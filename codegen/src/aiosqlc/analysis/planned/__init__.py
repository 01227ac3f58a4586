"""Plans of queries, and the statistics that they depend on, as values of no engine."""
