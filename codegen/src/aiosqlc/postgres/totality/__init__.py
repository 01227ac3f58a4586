"""Facts found by calling the server's own functions, and the program that finds them."""
