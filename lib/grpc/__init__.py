"""A small typed layer over `grpc.aio`: methods, server, client, pool and errors."""

import os

# grpc's core writes lines of its own to stderr, in no format of ours; what matters in them reaches
# us as exceptions. It reads this once, when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# Nor does it go on in a forked child: its handlers for that, around every fork of ours, crash one
# child in four that is started while calls are under way.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
