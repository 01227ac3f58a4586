"""Turns NGINX access logs and its status page into Prometheus metrics, each line counted once."""
