"""Servers for the analysis: private ones or the user's, each with databases of our own."""
