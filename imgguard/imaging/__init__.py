"""Bytes to upright sRGB pixels, under limits; and the views of a picture that are searched for."""
