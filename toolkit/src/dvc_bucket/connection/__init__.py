"""The connection: settings from the environment and `.env`, and each client that uses them."""
