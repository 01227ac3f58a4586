"""Programs that write files or measure. The running platform never imports this package."""
