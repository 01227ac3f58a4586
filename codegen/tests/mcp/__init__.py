"""`aiosqlc mcp`: the calls that assistants may make, and those that they may not."""
