"""Infrastructure that every service shares. It knows nothing of the product domain."""
