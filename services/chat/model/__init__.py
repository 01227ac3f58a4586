"""Values and rules of chat: the frames on a socket, the codes it is closed with, the views."""
