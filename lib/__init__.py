"""What every service shares: mechanism only, no product words."""
