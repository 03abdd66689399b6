"""Tensors in, logits out."""
