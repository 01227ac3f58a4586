"""Store an analysis beside the configuration, so that unchanged SQL needs no server.

The lock is committed; it is good for one compiler, schema and configuration. Where nothing has
changed, `head` is all of it that is imported.
"""
