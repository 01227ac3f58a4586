"""Output for people and machines: diagnostics as text, their codes, and progress."""
