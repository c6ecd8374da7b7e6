"""What every domain stands on: errors, settings, the database, artifacts. Imports no domain and prints nothing."""
