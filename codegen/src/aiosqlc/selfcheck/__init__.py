"""Search for counterexamples: run queries and generated functions on random rows."""
