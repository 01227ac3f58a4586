"""What was observed while migrations ran, in a form that does not depend on the engine."""
