"""Store the results of the analysis beside the configuration: unchanged SQL needs no server.

The lock is committed. A lock is valid for one compiler, schema and configuration. If nothing has
changed, only `head` of this package is imported.
"""
