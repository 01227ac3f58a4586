"""Hunts for data that refutes a claim: queries and generated functions run on random rows."""
