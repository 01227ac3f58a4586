"""Database servers for the analysis, either private or the user's."""
