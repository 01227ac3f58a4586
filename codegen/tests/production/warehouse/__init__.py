"""A data set after the subjects of TPC-H, of any size, with queries and their true plans."""
