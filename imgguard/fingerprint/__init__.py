"""Descriptors of a picture: perceptual hashes, embedding, local keypoints."""
