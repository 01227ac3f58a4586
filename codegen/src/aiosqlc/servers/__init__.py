"""The servers that are asked: private ones, and those of the user; databases of ours on both."""
