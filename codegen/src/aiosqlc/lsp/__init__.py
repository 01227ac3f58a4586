"""`aiosqlc lsp`: a language server for editors."""
