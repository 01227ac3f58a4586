"""Facts about the server's own functions, found by calling them, and the program that does this."""
