"""The plans of all queries in a committed text file, and the changes between two versions."""
