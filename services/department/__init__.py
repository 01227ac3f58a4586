"""The department service: the departments that staff belong to, over HTTP."""
