"""Pure values and rules of the marketplace of services, one module per subject."""
