"""What changed, to every open page: hints, boards rendered once, sockets, and the page cache."""
