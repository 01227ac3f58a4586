"""Request types of the catalog."""
