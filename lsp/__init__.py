"""The language server: one pure file for each feature, our own data in and out; `server.py` alone speaks the protocol."""
