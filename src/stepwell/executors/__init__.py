"""Where the functions of steps run: the port, and the equal rooms behind it."""
