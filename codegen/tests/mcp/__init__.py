"""`aiosqlc mcp`: what assistants may call, and all that they may not."""
