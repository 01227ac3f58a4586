"""Who is connected here and what they are given, in order; how replicas tell each other."""
