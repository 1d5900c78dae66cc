"""Where runs are recorded: three small ports, and equal rooms behind them."""
