"""What writes files or measures, and is never imported by what runs."""
