"""How often the types of SQL tools are wrong: claims of each tool beside the rows of a server."""
