"""One small typed binding over `grpc.aio`: methods, server, client, pool, errors that travel."""
