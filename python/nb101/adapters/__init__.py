"""What other libraries know: a module for each, which is imported when it is asked for."""
