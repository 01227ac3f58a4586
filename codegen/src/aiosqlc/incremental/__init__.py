"""What need not be computed again: files, values and analyses by what they are made of."""
