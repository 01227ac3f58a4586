"""Programs that write files or measure. The compiler never imports them."""
