"""Compare the cost of rows and calls with the bare driver and other libraries."""
