"""The proof that a query touches the rows of one tenant only."""
