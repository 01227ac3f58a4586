"""Monitoring for operators: one folder per component."""
