"""What the stack can carry: measured, simulated, and extrapolated."""
