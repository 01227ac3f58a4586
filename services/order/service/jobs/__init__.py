"""The rules of the marketplace of services and its transactions, one module per subject."""
