"""The language in editors: one set of token classes, and the highlighters that are generated from the grammar."""
