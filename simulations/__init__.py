"""Simulations of what comparisons promise: how often they say `drift` and `stable` where the truth is known."""
