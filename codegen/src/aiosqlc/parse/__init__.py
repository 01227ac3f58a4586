"""Parse a file of annotated SQL into queries."""
