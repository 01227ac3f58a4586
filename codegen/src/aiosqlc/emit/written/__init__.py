"""Files of generated packages that are copied as they are."""
