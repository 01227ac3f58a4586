"""Convert MySQL's statements to queries for the tenant proof, without leaving out a part."""
