"""The PostgreSQL server for the analysis: the embedded server, or the user's server."""
