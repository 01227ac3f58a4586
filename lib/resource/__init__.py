"""Common types and rules of API resources, without a framework or a driver."""
