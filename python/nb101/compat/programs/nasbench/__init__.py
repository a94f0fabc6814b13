"""The original interface of NAS-Bench-101, as nb101 provides it."""
