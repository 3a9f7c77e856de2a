"""What may they call: Cedar policies over typed arguments, decided without a clock, a file or a socket."""
