"""Store an analysis beside the configuration, so that unchanged SQL needs no server.

The lock is committed. It is valid for one compiler, schema and configuration. If nothing has
changed, only `head` of this package is imported.
"""
