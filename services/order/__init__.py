"""The order service: goods that are bought, and jobs that are offered, taken and done."""
