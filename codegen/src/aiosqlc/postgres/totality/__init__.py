"""Facts from calls of the server's own functions, and the program that collects the facts."""
