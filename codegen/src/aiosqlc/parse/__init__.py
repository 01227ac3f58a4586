"""From a file of annotated SQL to parsed queries."""
