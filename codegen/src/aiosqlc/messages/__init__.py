"""Output for people and machines: diagnostics as text, diagnostic codes, and progress."""
