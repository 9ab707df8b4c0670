"""Where money and credits are: accounts, and transfers between two of them that are only ever added."""
