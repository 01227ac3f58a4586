"""The tools, each as a function from a suite to verdicts."""
