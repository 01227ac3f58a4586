"""A page on this machine: schema and queries in, code, reasons and plans out, while you type."""
