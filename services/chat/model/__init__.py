"""Values and rules of chat: frames, close codes and views."""
