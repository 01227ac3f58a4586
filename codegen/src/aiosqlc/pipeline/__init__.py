"""The compiler from a configuration to files on disk, and what it need not do again."""
