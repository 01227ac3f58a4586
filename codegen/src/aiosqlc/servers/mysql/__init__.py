"""MySQL and MariaDB servers to ask: a private one, or the one the user names."""
