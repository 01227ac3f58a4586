"""Users' mistakes, and the expected diagnostics. See `table.py`."""
