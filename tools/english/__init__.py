"""The project's English: a list of private words, a check that counts them, a random sample."""
