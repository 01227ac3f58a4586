"""An order through the whole stack against the statements it is made of."""
