"""Classes for query plans and for the planner's statistics, for every engine."""
