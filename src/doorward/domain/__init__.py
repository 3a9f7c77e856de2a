"""The words of Doorward: values that every room shares, on the standard library alone."""
