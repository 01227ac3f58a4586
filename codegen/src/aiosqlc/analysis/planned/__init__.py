"""Query plans, and the statistics that they depend on, as values that every engine can use."""
