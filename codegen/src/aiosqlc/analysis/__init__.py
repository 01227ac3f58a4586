"""Analysis code that both engines share."""
