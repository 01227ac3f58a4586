"""Observations of migrations that ran, in a form that does not depend on the engine."""
