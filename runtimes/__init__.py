"""Plan -> files or deeds. The only place that touches the world."""
