"""Source files that are copied into generated packages."""
