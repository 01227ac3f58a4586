"""From an edit to its diagnostics, in a project of 2,000 queries."""
