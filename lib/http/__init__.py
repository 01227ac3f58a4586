"""The HTTP shell that every service shares: application, middleware, decoding, responses, documentation."""
