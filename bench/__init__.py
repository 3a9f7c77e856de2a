"""Measurements of Doorward: figures are printed with the machine, never asserted."""
