"""The HTTP layer of every service: application, middleware, decoding, responses, API document."""
