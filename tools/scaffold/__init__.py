"""Services made and removed by one command each."""
