"""Programs that generate files or measure the compiler.

The compiler never imports these programs.
"""
