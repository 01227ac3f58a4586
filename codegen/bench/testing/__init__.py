"""A database for each test, by a reset and by CREATE DATABASE."""
