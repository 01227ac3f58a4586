"""What is said to people and machines: diagnostics as text, their codes, progress."""
