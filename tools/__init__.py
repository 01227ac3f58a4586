"""Programs for developers. The running platform never imports this package."""
