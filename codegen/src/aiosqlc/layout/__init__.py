"""Format query files without changing their meaning."""
