"""Points of users over gRPC, with HTTP for health and metrics."""
