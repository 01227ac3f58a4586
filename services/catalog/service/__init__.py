"""The rules of the catalogue, and where its transactions begin and end."""
