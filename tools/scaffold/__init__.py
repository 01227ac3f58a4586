"""Create and remove services, with one command each."""
