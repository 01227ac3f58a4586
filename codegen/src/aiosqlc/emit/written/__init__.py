"""Source files that are copied unchanged into generated packages."""
