"""MySQL and MariaDB servers for the analysis: a private one, or the user's."""
