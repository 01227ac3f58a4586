"""The built-in functions that never return NULL, and the program that finds them by calls."""
