"""Source files that are copied beside generated code."""
