"""What is written beside generated code, as it is written."""
