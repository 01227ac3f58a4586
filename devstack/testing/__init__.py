"""Real components for tests: databases that are cloned per test, servers that a test may kill."""
