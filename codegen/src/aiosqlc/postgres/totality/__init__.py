"""The built-in functions that never return NULL, and the program that tests functions for this."""
