"""Implicit-feedback ALS: factors for users and titles, fitted over all pairs (Hu, Koren & Volinsky 2008)."""

from mgw.recommend.als.model import ALS, loss

__all__ = ["ALS", "loss"]
