"""Plans without rows against the plans of a database with rows: figures in the README."""
