"""The marketplace of services: orders, offers, jobs and reviews between people."""
