"""Observations from running migrations, in a form that does not depend on the engine."""
