"""Observations of migrations that ran, as values: which engine made them is not said."""
