"""Adapters to the models that a call needs: one package per vendor."""
