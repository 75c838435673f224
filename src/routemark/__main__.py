"""`python -m routemark`: the same as the `routemark` command."""

from routemark.cli import main

if __name__ == "__main__":
    main()
