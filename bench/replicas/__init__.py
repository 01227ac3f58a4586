"""What standbys add to the reads of one database."""
