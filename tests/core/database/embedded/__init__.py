"""Tests of the embedded server; a package, so that its modules can share what `conftest` defines."""
