"""What rows and calls cost beside the bare driver and other libraries."""
