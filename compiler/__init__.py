"""Tree -> program -> plan. Pure: no disk, clock, network or environment but through what it is handed."""
