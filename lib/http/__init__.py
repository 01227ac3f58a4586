"""The HTTP shell of every service: application, middleware, decoding, responses, documentation."""
