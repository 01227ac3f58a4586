"""How many connections and messages one process of the chat service carries."""
