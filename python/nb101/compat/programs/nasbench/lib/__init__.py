"""Parts of the original that programs import."""
