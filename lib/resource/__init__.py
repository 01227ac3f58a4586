"""What the resources of an API have in common below its edge: no framework, no driver."""
