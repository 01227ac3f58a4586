"""Inference from the server's parse trees and catalog: nullability, row counts and writes."""
