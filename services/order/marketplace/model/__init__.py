"""Values and pure rules of the service marketplace, one module per subject."""
