"""Count the false types of SQL tools: compare the claims of each tool with the rows of a server."""
