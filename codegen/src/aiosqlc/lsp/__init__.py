"""`aiosqlc lsp`: what the compiler knows, shown while people write, by the protocol of editors."""
