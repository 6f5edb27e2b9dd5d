"""How fast mlspec itself is: everything but the user's own work. See README.md."""
