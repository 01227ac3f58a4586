"""What holds of queries whichever engine analysed them; the engines share it."""
