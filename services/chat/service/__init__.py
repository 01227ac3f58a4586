"""Business rules of chat and their transactions."""
