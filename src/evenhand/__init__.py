"""Evenhand audits trained models."""

__version__ = "0.1.0"
