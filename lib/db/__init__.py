"""Databases: executors for generated code, pools, transactions and migrations."""

from lib.db.executor import Database, Executor, Reader

__all__ = ["Database", "Executor", "Reader"]
