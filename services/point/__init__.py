"""Points of users: gRPC, and HTTP for health and metrics."""
