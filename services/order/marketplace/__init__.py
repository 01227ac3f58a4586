"""The service marketplace: service orders, offers, jobs and reviews."""
