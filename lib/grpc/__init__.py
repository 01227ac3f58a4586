"""A small typed layer over `grpc.aio`: methods, server, client, pool and errors."""

import os

# grpc's core writes lines of its own to stderr, in no format of ours; what matters in them reaches
# us as exceptions. It reads this once, when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# grpc must not continue in a forked child: with its fork handlers, one child in four crashes if
# calls are in flight at the fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
