"""The first words of every generated file."""

MARK = "# Generated "
