"""An issue tracker for many tenants."""
