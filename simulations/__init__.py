"""Simulations of the promises that a comparison makes: how often it says `drift` and `stable` when the truth is known."""
