"""Record the plans of all queries in a text file, and compare the plans of two versions."""
