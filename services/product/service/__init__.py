"""Business rules, one module per use case. Each owns its transactions."""
