"""Other gateways, measured as Doorward is: each in an environment of its own, by the same load, in the same run."""
