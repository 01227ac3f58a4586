"""Compares PostgreSQL's parameters with the server: is what a function asks for what it takes?"""
