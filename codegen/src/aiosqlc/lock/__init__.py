"""Store the results of the analysis in a lock file, so that unchanged SQL needs no server.

The lock file belongs in version control. It is valid for one compiler, schema and configuration. If
nothing has changed, only the module `head` of this package is imported.
"""
