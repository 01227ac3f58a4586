"""How operators see the system: one folder per component."""
