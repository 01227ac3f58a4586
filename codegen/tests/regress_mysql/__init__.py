"""MariaDB's own regression tests as a judge of what is claimed."""
