"""Pure values and rules, one module per subject."""
