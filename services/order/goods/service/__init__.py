"""Business rules, one module per use case. Each use case opens its own transactions."""
