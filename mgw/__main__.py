"""`python -m mgw` is `mgw`."""

from mgw.cli.app import main

if __name__ == "__main__":
    main()
