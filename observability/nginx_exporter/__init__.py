"""Turn NGINX access logs and its status page into Prometheus metrics; count each line once."""
