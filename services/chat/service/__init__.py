"""The rules of chat and their transactions."""
