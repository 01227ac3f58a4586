"""The judge of PostgreSQL's parameters: is what a function asks for what the server takes?"""
