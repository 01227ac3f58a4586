"""The department service: departments of the staff, over HTTP."""
