"""Losses on logits: the hybrid loss of BASNet and the boundary-aware loss."""

from sodbench.losses.boundary_aware import BoundaryAwareLoss, boundary_weight
from sodbench.losses.hybrid import HybridLoss, bce_loss, iou_loss, ssim_loss

__all__ = ["BoundaryAwareLoss", "HybridLoss", "bce_loss", "boundary_weight", "iou_loss", "ssim_loss"]
