"""The product service: products, stock and reservations."""
