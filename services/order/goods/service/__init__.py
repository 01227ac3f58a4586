"""The rules, one module per use case; each owns its transactions."""
