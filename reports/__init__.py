"""Figures, coverage and charts, as plain values: computed through the gate, shown by the views."""
